import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Program } from './server.ts'

const run = promisify(execFile)

let setprivFound: Promise<boolean> | undefined

/**
 * Puts `setpriv` before a program, where the machine has it, so that the kernel ends the program when its parent
 * dies, even by kill -9. As it replaces itself by the program, the process id stays the one that was spawned.
 */
export async function launcher(program: Program): Promise<Program> {
  setprivFound ??= run('setpriv', ['--version']).then(
    () => true,
    () => false,
  )
  if (!(await setprivFound)) return program
  const args = ['--pdeathsig', 'KILL']
  if (program.user !== undefined) {
    const { uid, gid } = program.user
    args.push('--reuid', String(uid), '--regid', String(gid), '--clear-groups')
    // The other user must reach its data and program even if the checkout lies in a folder closed to it (/root).
    args.push('--inh-caps', '+dac_override', '--ambient-caps', '+dac_override')
  }
  return {
    command: 'setpriv',
    args: [...args, program.command, ...program.args],
    ...(program.env === undefined ? {} : { env: program.env }),
  }
}
