import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Command } from 'commander'
import { Interrupted } from '../../src/cli/failures.ts'
import { buildProgram } from '../../src/cli/main.ts'
import { makeMemberProfile } from '../../src/cli/member-profile.ts'
import { processSession } from '../../src/cli/session.ts'
import { keySetSchema } from '../../src/protocol/member.ts'
import { runCli, temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

/** Nothing listens on port 9 (discard) of this machine. */
const NOWHERE = 'http://127.0.0.1:9'

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)
}

const session = processSession({}, new AbortController().signal)
const program = await buildProgram(session)
const verbs = leavesOf(program)

/** A server that takes a request and never answers, and Ctrl-C at that moment. */
async function stoppedByRequest(context: TestContext): Promise<{ url: string; signal: AbortSignal }> {
  const stop = new AbortController()
  const silent = createServer(() => stop.abort(new Interrupted('SIGINT'))).listen(0, '127.0.0.1')
  context.after(() => silent.close().closeAllConnections())
  await once(silent, 'listening')
  return { url: `http://127.0.0.1:${Number(Object(silent.address()).port)}`, signal: stop.signal }
}

function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
  return help
}

test('every verb has a summary, an example in its help and, if it prints a result, --json', () => {
  const withoutJson = new Set(['serve', 'demo'])
  for (const verb of verbs) {
    const help = helpOf(verb)
    assert.match(help, /\nExample:\n {2}hedgerow /, verb.name())
    assert.ok(verb.description().length > 10, verb.name())
    assert.ok(withoutJson.has(verb.name()) || help.includes('--json'), `${verb.name()} has no --json`)
  }
})

for (const whole of program.commands) {
  test(`${whole.name()} is the same where no other verb is loaded`, async () => {
    const typed = (await buildProgram(session, whole.name())).commands.find(
      (command) => command.name() === whole.name(),
    )
    assert.ok(typed)
    assert.deepEqual([typed, ...leavesOf(typed)].map(helpOf), [whole, ...leavesOf(whole)].map(helpOf))
  })
}

suite('the command line as it is run', { concurrency: 2 }, () => {
  test('prints help and its version, and ends with 0', async (context) => {
    const home = await temporaryHome(context)
    const help = await runCli(home, ['--help'])
    assert.equal(help.code, 0)
    assert.match(help.out, /Exit codes: 0 done, 1 fell short/)
    const version = await runCli(home, ['--version'])
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/)
    // Whoever asks for it waits for no verb to be loaded.
    for (const word of ['--version', '-V']) assert.deepEqual((await buildProgram(session, word)).commands, [])
  })

  const wrong: readonly [string, readonly string[], RegExp][] = [
    ['an unknown verb', ['frobnicate'], /unknown command 'frobnicate'/],
    ['an unknown option', ['offers', '--colour'], /unknown option '--colour'/],
    ['a missing argument', ['member', 'add'], /missing required argument|required option/],
    [
      'a mode that is none',
      ['ask', '--purpose', 'dpv:AcademicResearch', '--mode', 'all', '--sql', 'select 1'],
      /Cannot use the mode "all": expected one of aggregate/,
    ],
    [
      'a transfer basis that is none, in an ask',
      ['ask', '--purpose', 'dpv:X', '--mode', 'rows', '--sql', 'a', '--transfer-basis', 'SCC'],
      /^There is no transfer basis "SCC": expected one of scc, bcr, .*\bdpf-certified\b.*scc:2026-118\n/,
    ],
    [
      'a transfer basis that is none, of a member',
      ['member', 'add', 'atlas', '--country', 'US', '--role', 'acquirer', '--transfer-basis', 'scc', 'scc2'],
      /^There is no transfer basis "scc2": expected/,
    ],
    [
      'a question twice',
      ['ask', '--purpose', 'dpv:X', '--mode', 'rows', '--sql', 'a', '--function', 'b'],
      /exactly one of --sql, --sql-file and --function/,
    ],
    [
      'no member on this machine',
      ['ask', '--purpose', 'dpv:X', '--mode', 'rows', '--sql', 'a'],
      /There is no member under ".*", which is no directory of Hedgerow: make one with "hedgerow member/,
    ],
    [
      'an unknown member',
      ['release', 'show', 'ask_1', '--as', 'nobody'],
      /Cannot act as "nobody": there are no keys/,
    ],
    [
      'an amount below zero',
      ['ledger', 'deposit', 'northcare', '-1.00EUR'],
      /^Cannot use "-1.00EUR" as an amount: it must be above zero\n/,
    ],
    ['no key of the operator', ['ledger', 'settle'], /Only the operator of the network may do this/],
    [
      'an address that is none',
      ['offers', '--network', 'somewhere'],
      /Cannot use "somewhere" as the address of a network/,
    ],
    [
      'a manifest that is not there',
      ['dataset', 'describe', 'nowhere.yaml', '--site', 's'],
      /nowhere\.yaml": it is not there/,
    ],
    [
      'two sites',
      ['site', 'doctor', 'galway', '--site', 'zurich'],
      /Say one site: "galway" and --site "zurich"/,
    ],
    ['no site', ['site', 'doctor'], /There is no site under ".*say --site NAME and --url/],
    ['no server to run', ['site', 'serve'], /Say which site, for example/],
  ]
  for (const [what, args, sentence] of wrong) {
    test(`ends with 2 and one sentence: ${what}`, async (context) => {
      const run = await runCli(await temporaryHome(context), args)
      assert.match(run.error, sentence)
      assert.equal(run.code, 2)
      assert.doesNotMatch(run.error, /\n\s+at |Error:/, 'no stack')
      assert.equal(run.out, '')
    })
  }

  test('ends with 3 and says whom it could not reach', async (context) => {
    const run = await runCli(await temporaryHome(context), ['offers', '--network', NOWHERE])
    assert.deepEqual({ code: run.code, out: run.out }, { code: 3, out: '' })
    assert.match(
      run.error,
      /^Cannot reach 127\.0\.0\.1:9; start that server, or say where it is \(--network .*\)\n$/,
    )
  })

  test('stops at Ctrl-C while it waits for another side, with the code of a shell', async (context) => {
    const { url, signal } = await stoppedByRequest(context)
    const home = await temporaryHome(context)
    const { code, out, error } = await typedHere(home, ['offers', '--network', url], { signal })
    assert.deepEqual(
      [code, out, error],
      [130, '', 'Stopped; what had been sent by then may have been done\n'],
    )
  })

  test('stops an import at Ctrl-C, and says how to learn which of two things came of it', async (context) => {
    const { url, signal } = await stoppedByRequest(context)
    const home = await temporaryHome(context)
    await makeMemberProfile(home, { member: 'clinic', country: 'IE' })
    const file = join(home, 'steps.csv')
    await writeFile(file, 'id\na\n')
    const { code, out, error } = await typedHere(
      home,
      ['dataset', 'import', 'steps', file, '--site', 'brook', '--url', url, '--as', 'clinic'],
      { signal },
    )
    assert.deepEqual([code, out], [130, ''])
    assert.equal(
      error,
      'Stopped: of the batch nothing is taken, or all if the site was at its end; given again, the command takes it or says that it is there\n',
    )
  })

  test('reads what is piped in where a file is "-"', async (context) => {
    const home = await temporaryHome(context)
    const piped = await runCli(home, ['dataset', 'describe', '-'], {}, 'dataSet: 7')
    assert.deepEqual([piped.code, piped.out], [2, ''])
    assert.match(
      piped.error,
      /^Cannot use the manifest "-": \d+ fields are not what was expected\n {2}dataSet: /,
    )
  })

  test('makes the keys of a member once, readable by their owner only, and prints the public ones', async (context) => {
    const home = await temporaryHome(context)
    const first = await runCli(home, ['member', 'keys', 'northcare', '--country', 'IE'])
    const again = await runCli(home, ['member', 'keys', 'northcare', '--country', 'IE'])
    assert.equal(first.out, again.out)
    assert.ok(keySetSchema.safeParse(JSON.parse(first.out)).success)
    assert.doesNotMatch(first.out, /"d"/)
    const file = join(home, 'members', 'northcare', 'keys', 'signing.jwk')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    await chmod(file, 0o644)
    const exposed = await runCli(home, ['release', 'show', 'ask_1', '--as', 'northcare'])
    assert.equal(exposed.code, 2)
    assert.match(exposed.error, /others may read it; run chmod 600 on it/)
  })

  test('makes a site with keys and evidence, and does not make it again in another place', async (context) => {
    const home = await temporaryHome(context)
    const args = [
      'site',
      'init',
      'galway',
      '--custodian',
      'claddagh-edge',
      '--longitude',
      '-9.0568',
      '--latitude',
      '53.2707',
    ]
    const made = await runCli(home, [...args, '--territory', 'IE', '--json'])
    assert.equal(made.code, 0, made.error)
    assert.match(
      await readFile(join(home, 'sites', 'galway', 'evidence.jws'), 'utf8'),
      /^[\w-]+\.[\w-]+\.[\w-]+\n$/,
    )
    assert.deepEqual(Object.keys(JSON.parse(made.out) as object), ['site', 'isNew', 'keys', 'hasEvidence'])
    assert.equal((await runCli(home, [...args, '--territory', 'IE'])).code, 0)
    const moved = await runCli(home, [...args, '--territory', 'DE'])
    assert.equal(moved.code, 1)
    assert.match(moved.error, /whose territory is "IE"/)
  })

  test('names every wrong field of a manifest before it looks for a site', async (context) => {
    const home = await temporaryHome(context)
    const file = join(home, 'manifest.yaml')
    await writeFile(file, 'dataSet: Athletes\ntitle: A\n')
    const run = await runCli(home, ['dataset', 'describe', file, '--site', 'galway'])
    assert.equal(run.code, 2)
    for (const field of ['dataSet', 'issuer', 'person', 'columns', 'perimeter', 'tariff'])
      assert.match(run.error, new RegExp(`${field}: `))
  })

  test('reads grants in bulk from CSV and NDJSON, and names the line that is wrong', async (context) => {
    const home = await temporaryHome(context)
    await mkdir(home, { recursive: true })
    const csv = join(home, 'grants.csv')
    await writeFile(
      csv,
      'dataSet,person,grantee,purposes,modes,isExplicit\nathletes,1,class:insurer,dpv:AcademicResearch,aggregate;rows,true\nathletes,2,anyone,research,aggregate,\n',
    )
    const run = await runCli(home, ['grant', 'give', '--file', csv, '--site', 'galway', '--url', NOWHERE])
    assert.equal(run.code, 2)
    assert.match(run.error, /Cannot read the grant in line 3 of ".*grants\.csv": purposes\[0\]: expected/)
    const ndjson = join(home, 'grants.ndjson')
    await writeFile(
      ndjson,
      '{"dataSet":"athletes","person":"1","grantee":{"anyone":true},"purposes":["dpv:AcademicResearch"],"modes":["aggregate"]}\n{"dataSet":\n',
    )
    const torn = await runCli(home, ['grant', 'give', '--file', ndjson, '--site', 'galway', '--url', NOWHERE])
    assert.match(torn.error, /Cannot read line 2 of ".*grants\.ndjson": expected one JSON object/)
  })

  test('ends a server with 78 when its settings are wrong, and names them all', async (context) => {
    const home = await temporaryHome(context)
    const config = join(home, 'network.yaml')
    await writeFile(config, 'port: 99999\nhsot: here\n')
    const run = await runCli(home, ['network', 'serve', '--config', config])
    assert.equal(run.code, 78)
    assert.match(run.error, /port: /)
    assert.match(run.error, /hsot/)
  })
})
