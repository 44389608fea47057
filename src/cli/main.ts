import { Command, CommanderError } from 'commander'
import { addAccessVerbs } from './site/access.ts'
import { addAskVerb } from './trade/ask.ts'
import { addDataSetVerbs } from './site/dataset.ts'
import { addDemoVerb } from './demo.ts'
import { addCompletionVerb } from './completion.ts'
import { addCorrectionVerbs } from './person/correction.ts'
import { addErasureVerbs } from './person/erasure.ts'
import { EXIT, sentenceOf } from './failures.ts'
import { addGrantVerbs } from './person/grant.ts'
import { addGuardianVerbs } from './person/guardian.ts'
import { addDisputeVerbs } from './network/dispute.ts'
import { addLedgerVerbs } from './network/ledger.ts'
import { addLineageVerb } from './trade/lineage.ts'
import { addMemberVerbs } from './network/member.ts'
import { addNetworkVerbs } from './network/network.ts'
import { addNoticesVerbs } from './trade/notices.ts'
import { addOfficerVerbs } from './officer/officer.ts'
import { addOffersVerb } from './trade/offers.ts'
import { addPersonConsentsVerb } from './person/person-consents.ts'
import { addPersonBasesVerb } from './person/person-bases.ts'
import { addPersonVerbs } from './person/person.ts'
import { addPolicyVerbs } from './trade/policy.ts'
import { addPrincipalVerbs } from './person/principal.ts'
import { packageVersion } from './package-version.ts'
import { addReceiptVerbs } from './trade/receipt.ts'
import { addReleaseVerbs } from './trade/release.ts'
import { addRequestVerbs } from './person/request.ts'
import { processSession } from './session.ts'
import type { Session } from './session.ts'
import { addSiteVerbs } from './site/site.ts'
import { addStatusVerb } from './status.ts'
import { addTermsVerbs } from './network/terms.ts'

const AFTER_HELP = `
Exit codes: 0 done, 1 fell short (declined, does not verify), 2 wrong use, 3 could not reach something.
Files are under .hedgerow, or HEDGEROW_HOME. Each verb has --help with an example.
`

/** The whole command line as a tree of commands; `scripts/generate-reference.ts` prints the reference from it. */
export function buildProgram(session: Session): Command {
  const program = new Command('hedgerow')
    .description('Keeps personal data inside its perimeter and lets the outside world come to it')
    .version(packageVersion())
    // A verb has options of the same names: `hedgerow terms show --version 2`.
    .enablePositionalOptions()
    .addHelpText('after', AFTER_HELP)
    .showHelpAfterError('(add --help for how it is used)')
    .configureOutput({
      writeOut: (text) => void session.terminal.out.write(text),
      writeErr: (text) => void session.terminal.error.write(text),
    })
  addDemoVerb(program, session)
  addStatusVerb(program, session)
  addOffersVerb(program, session)
  addAskVerb(program, session)
  addLineageVerb(program, session)
  addReleaseVerbs(program, session)
  addReceiptVerbs(program, session)
  addSiteVerbs(program, session)
  addDataSetVerbs(program, session)
  addPolicyVerbs(program, session)
  addAccessVerbs(program, session)
  addGrantVerbs(program, session)
  addGuardianVerbs(program, session)
  addOfficerVerbs(program, session)
  addPersonVerbs(program, session)
  addRequestVerbs(program, session)
  addNetworkVerbs(program, session)
  addMemberVerbs(program, session)
  addTermsVerbs(program, session)
  addNoticesVerbs(program, session)
  addLedgerVerbs(program, session)
  addDisputeVerbs(program, session)
  addErasureVerbs(program, session)
  addCorrectionVerbs(program, session)
  addPrincipalVerbs(program, session)
  addPersonBasesVerb(program, session)
  addPersonConsentsVerb(program, session)
  addCompletionVerb(program, session)
  exitByCode(program)
  return program
}

/** Commander ends the process with 1 for wrong use; here that is 2, and 1 means that something fell short. */
function exitByCode(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) exitByCode(inner)
}

/** Runs one command of this process: its arguments, environment, terminal and signals. */
export async function runCommandLine(): Promise<void> {
  const interrupt = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort())
  // `hedgerow offers | head` closes the pipe early: no failure of ours, but reason enough to stop.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interrupt.abort()
  })
  await runCommand(processSession(process.env, interrupt.signal), process.argv.slice(2))
}

/** Runs what was typed; how it ended is the exit code of the process. */
export async function runCommand(session: Session, args: readonly string[]): Promise<void> {
  try {
    await buildProgram(session).parseAsync(args, { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? EXIT.done : EXIT.wrongUse
      return
    }
    session.terminal.error.write(`${sentenceOf(thrown)}\n`)
    process.exitCode = EXIT.fellShort
  }
}

if (import.meta.main) await runCommandLine()
