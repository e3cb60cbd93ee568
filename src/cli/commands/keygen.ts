import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { settings } from '../../config/settings.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { Io } from '../io.ts';

/** Of one CURVE key (RFC 26, CurveZMQ). */
const keyBytes = 32;

type KeygenOptions = { readonly stream?: true; readonly pair?: 'stream' | 'mesh' };

const examples = `
Examples:
  tocsin keygen >> node.env            a key for the mesh
  tocsin keygen --stream >> node.env   a key for ZeroMQ PUB and PULL
  TOCSIN_STREAM_KEY=... tocsin keygen --pair
                                       what a subscriber or a sensor needs of that key; without the variable, of a new one
  TOCSIN_MESH_KEY=... tocsin keygen --pair mesh
                                       what a Zyre peer that is no node needs to get into the mesh`;

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Make a mesh key: 32 random bytes, printed as a variable. Keep it secret; all nodes of a mesh share it.',
    )
    .option('--stream', 'make a stream key instead, which ZeroMQ PUB and PULL ask for')
    .addOption(
      new Option(
        '--pair [of]',
        'print the CURVE pair of a key in Z85, and as Python, for programs that are no nodes',
      )
        .choices(['stream', 'mesh'])
        .preset('stream'),
    )
    .addHelpText('after', examples)
    .action(async ({ stream, pair }: KeygenOptions) => {
      if (pair !== undefined) await printPair(pair, io);
      else if (stream) {
        await io.stdout.write(lineOf('stream', randomBytes(keyBytes)));
        await io.stderr.write(
          'Give it to the nodes whose ZeroMQ PUB and PULL it closes; `tocsin keygen --pair` prints what sensors need.\n',
        );
      } else {
        await io.stdout.write(lineOf('mesh', randomBytes(keyBytes)));
        await io.stderr.write(
          'Give it to every node of the mesh, in its environment or as mesh_key in its settings file, and to nobody else.\n',
        );
      }
    });
}

type KeyOf = 'stream' | 'mesh';

const settingOf = { stream: settings.streamKey, mesh: settings.meshKey } as const;

function lineOf(of: KeyOf, key: Buffer): string {
  return `${settingOf[of].variable}=${key.toString('base64url')}\n`;
}

async function printPair(of: KeyOf, io: Io): Promise<void> {
  const given = keyIn(of, io);
  const key = given ?? randomBytes(keyBytes);
  const { publicKey, secretKey } = await io.curvePairOf(key);
  const lines = [
    `public key: ${publicKey}`,
    `secret key: ${secretKey}`,
    '',
    'In Python, before connect():',
    `socket.curve_serverkey = b'${publicKey}'`,
    `socket.curve_publickey = b'${publicKey}'`,
    `socket.curve_secretkey = b'${secretKey}'`,
  ];
  await io.stdout.write(`${given === undefined ? lineOf(of, key) : ''}${lines.join('\n')}\n`);
  await io.stderr.write(
    'Both ends have the same pair: whoever has the secret key gets in, so keep it as the key itself.\n',
  );
}

/** The key that the environment names. Throws a CliError. */
function keyIn(of: KeyOf, io: Io): Buffer | undefined {
  const { variable, schema, allowed } = settingOf[of];
  const text = io.env[variable];
  if (text === undefined || text === '') return undefined;
  const key = schema.safeParse(text);
  if (key.success) return key.data;
  throw new CliError(exitCodes.usage, `${variable} is not readable: ${allowed} is allowed.`);
}
