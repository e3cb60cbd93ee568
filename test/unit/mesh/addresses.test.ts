import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { advertisedEndpoint, parseAdvertised } from '../../../mesh/advertise.ts';
import { beaconOptionsFor } from '../../../mesh/discovery/beacon.ts';
import { isOwnAddress, isWithin, networksOf, outwardAddress } from '../../../mesh/discovery/interfaces.ts';
import { MeshError } from '../../../mesh/errors.ts';

describe('what peers are told', () => {
  test.each([
    ['tcp://192.0.2.1:1000', undefined, 'tcp://192.0.2.1:1000'],
    ['tcp://0.0.0.0:1000', '192.0.2.7', 'tcp://192.0.2.7:1000'],
    ['tcp://0.0.0.0:1000', '192.0.2.7:7000', 'tcp://192.0.2.7:7000'],
    ['tcp://192.0.2.1:1000', 'node-1.example.com', 'tcp://node-1.example.com:1000'],
    ['tcp://[::]:1000', '2001:db8::7', 'tcp://[2001:db8::7]:1000'],
    ['tcp://[::]:1000', '[2001:db8::7]:7000', 'tcp://[2001:db8::7]:7000'],
    ['tcp://0.0.0.0:1000', undefined, `tcp://${outwardAddress()}:1000`],
    ['tcp://[::]:1000', undefined, expect.stringMatching(/:1000$/)],
    ['inproc://anything', undefined, 'inproc://anything'],
  ])('bound to %s, told %s', (bound, told, endpoint) => {
    expect(advertisedEndpoint(bound, told === undefined ? undefined : parseAdvertised(told))).toEqual(
      endpoint,
    );
  });

  test.each(['', 'two words', '192.0.2.1:0', '[::1', 'a:b:c'])('cannot be %j', (text) => {
    expect(() => parseAdvertised(text)).toThrow(MeshError);
  });

  test('is never an address that nobody can dial', () => {
    expect(outwardAddress()).not.toMatch(/^(?:0\.0\.0\.0|::|fe80)/);
    expect(isOwnAddress(outwardAddress())).toBe(true);
  });
});

describe('networks', () => {
  test('of loopback, by address, name and subnet', () => {
    const [loopback] = networksOf('127.0.0.1');
    expect(loopback).toMatchObject({ address: '127.0.0.1', prefixBits: 8, broadcast: '127.255.255.255' });
    expect(networksOf(loopback?.name ?? '')).toEqual([loopback]);
    expect(networksOf('localhost')).toEqual([loopback]);
    expect(networksOf('192.0.2.200')).toEqual([]);
  });

  test('of every interface leave loopback out', () => {
    const outward = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    expect(networksOf('0.0.0.0').map(({ address }) => address)).toEqual(
      outward.map(({ address }) => address),
    );
  });

  test('hold an address or not', () => {
    const network = {
      name: 'eth0',
      address: '192.0.2.65',
      prefixBits: 26,
      broadcast: '192.0.2.127',
      mac: '',
    };
    expect(isWithin('192.0.2.126', [network])).toBe(true);
    expect(isWithin('192.0.2.63', [network])).toBe(false);
    expect(isWithin('2001:db8::1', [network])).toBe(false);
  });
});

test('beacons of loopback stay there, and beacons of a network that is down go nowhere', () => {
  const loopback = beaconOptionsFor('127.0.0.1', 5670);
  expect(loopback.broadcastAddresses()).toEqual(['127.255.255.255']);
  expect(loopback.accepts('127.0.0.5')).toBe(true);
  expect(loopback.accepts('192.0.2.1')).toBe(false);
  const absent = beaconOptionsFor('192.0.2.200', 5670);
  expect(absent.broadcastAddresses()).toEqual([]);
  expect(absent.accepts('192.0.2.1')).toBe(false);
  expect(beaconOptionsFor('0.0.0.0', 5670).accepts('192.0.2.1')).toBe(true);
  expect(beaconOptionsFor('0.0.0.0', 5670).accepts('127.0.0.1')).toBe(false);
});
