import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';

import type { Io } from '../io.ts';

/** Of one CURVE key (RFC 26, CurveZMQ). */
const meshKeyBytes = 32;

export function configure(command: Command, io: Io): void {
  command
    .description(
      'Make a mesh key: 32 random bytes, printed as a variable. Keep it secret; all nodes of a mesh share it.',
    )
    .action(async () => {
      await io.stdout.write(`TOCSIN_MESH_KEY=${randomBytes(meshKeyBytes).toString('base64url')}\n`);
      await io.stderr.write(
        'Give it to every node of the mesh, in its environment or as mesh_key in its settings file, and to nobody else.\n',
      );
    });
}
