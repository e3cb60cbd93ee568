import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LabNode, startLabNode } from '../support/lab-node.ts';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';
import type { LineProcess } from '../support/process.ts';
import { programsUsable } from '../support/requirement.ts';

// Our multicast DNS and Debian's avahi, on two hosts, with a bus of its own for the daemon.

const stranger = 'ab'.repeat(16);
const usable = labsUsable() && programsUsable('avahi-daemon', 'avahi-browse', 'avahi-publish', 'dbus-daemon');

describe.skipIf(!usable)('avahi', { timeout: 60_000 }, () => {
  let lab: Lab;
  let directory: string;
  let env: Record<string, string>;
  let node: LabNode;
  beforeEach(async () => {
    lab = await startLab({ hosts: 2 });
    directory = await mkdtemp(join(tmpdir(), 'tocsin-avahi-'));
    env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(directory, 'bus')}` };
    await startAvahi();
    node = await startLabNode(lab, 1, join(directory, 'node'), [
      ...['--mesh-host', lab.address(1), '--discovery', 'mdns'],
    ]);
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  async function startAvahi(): Promise<void> {
    const busConfig = join(directory, 'bus.conf');
    await writeFile(
      busConfig,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>system</type>
        <listen>${env['DBUS_SYSTEM_BUS_ADDRESS']}</listen>
        <policy context="default">
          <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
          <allow receive_sender="*"/>
        </policy>
      </busconfig>`,
    );
    const bus = await lab.spawn(2, 'dbus-daemon', [
      `--config-file=${busConfig}`,
      '--nofork',
      '--print-address',
    ]);
    await bus.line(/^unix:/);
    const config = join(directory, 'avahi.conf');
    await writeFile(config, '[server]\nallow-interfaces=eth0\n[publish]\npublish-workstation=no\n');
    // A daemon outside the lab has its pid file there; each process that is started on a host has its own mounts.
    const mount = 'mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon';
    const start = `exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f ${config}`;
    const daemon = await lab.spawn(2, 'sh', ['-c', `${mount} && ${start}`], { env });
    await daemon.line(/Server startup complete/);
  }

  async function browsed(): Promise<string> {
    await using browse: LineProcess = await lab.spawn(2, 'avahi-browse', ['-rpt', '_tocsin._tcp'], { env });
    await browse.ended;
    return browse.output('stdout').join('\n');
  }

  test('sees a node of ours with its address, until the node says goodbye', async () => {
    let seen = await browsed();
    for (let asked = 0; asked < 20 && !seen.includes('endpoint='); asked++) seen = await browsed();
    expect(seen).toMatch(new RegExp(`"endpoint=tcp://${lab.address(1).replaceAll('.', '\\.')}:\\d+"`));
    expect(seen).toMatch(/"id=[0-9A-F]{32}"/);
    await node.process.stop();
    // RFC 6762 10.1: what was said goodbye to stays for a second.
    for (let asked = 0; asked < 20 && (await browsed()) !== ''; asked++);
    expect(await browsed()).toBe('');
  });

  test('publishes a service, and we dial whom it names; one that is not as it should be is counted', async () => {
    const txt = [`id=${stranger}`, `endpoint=tcp://${lab.address(2)}:49152`];
    await lab.spawn(2, 'avahi-publish', ['-s', 'stranger', '_tocsin._tcp', '49152', ...txt], { env });
    await lab.spawn(2, 'avahi-publish', ['-s', 'printer', '_tocsin._tcp', '631', 'paper=a4'], { env });
    for (let asked = 0; asked < 50 && (await node.peers()).length === 0; asked++);
    expect(await node.peers()).toMatchObject([
      { id: stranger, ready: false, found_by: ['mdns'], endpoint: `tcp://${lab.address(2)}:49152` },
    ]);
    expect(await node.counters()).toMatchObject({ 'mdns bad-id': expect.any(Number) });
  });
});
