import type { DescribedView } from '../../sdk/issuer.ts'
import type { Command } from 'commander'
import type { HttpClient } from '../../sdk/http-client.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { EXIT } from '../failures.ts'
import { requireIssuer } from '../site/dataset.ts'
import { manifestFiles, planPolicy } from './policy-plan.ts'
import type { PlannedPolicy, TermChange } from './policy-plan.ts'
import type { PolicyTestResult } from './policy-test.ts'
import { runPolicyTests } from './policy-test.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface PolicyOptions extends SiteOptions {
  readonly json?: boolean
}

/** `hedgerow policy …`: terms as files, with a plan before they apply, and tests. */
export function addPolicyVerbs(program: Command, session: Session): void {
  const policy = program.command('policy').description('terms of data sets as files: plan, apply, test')
  addSiteOptions(
    verb(policy, {
      name: 'plan <path...>',
      summary: 'say what applying manifests (files, or directories of them) would change at a site',
      example: 'hedgerow policy plan policy/ --site galway --as world-sport',
    }),
  ).action((paths: string[], options: PolicyOptions) =>
    perform(session, () => plan(session, { paths, options })),
  )
  addSiteOptions(
    verb(policy, {
      name: 'apply <path...>',
      summary: 'print the plan and put it in force, one data set after the other',
      example: 'hedgerow policy apply policy/ --site galway --as world-sport',
    }),
  ).action((paths: string[], options: PolicyOptions) =>
    perform(session, () => apply(session, { paths, options })),
  )
  verb(policy, {
    name: 'test <file...>',
    summary: 'try uses on a manifest, off line, by the checks that a site makes',
    example: 'hedgerow policy test policy/athletes.test.yaml',
  }).action((files: string[], options: PolicyOptions) =>
    perform(session, () => test(session, { files, options })),
  )
}

interface PathArguments {
  readonly paths: readonly string[]
  readonly options: PolicyOptions
}

async function plan(session: Session, { paths, options }: PathArguments): Promise<void> {
  const files = await manifestFiles(paths)
  const { client } = await connectToSite(session, options)
  const planned = await planOwn(client, { files, as: options.as })
  show(session, { json: options.json, value: viewOf(planned), print: () => printPlan(session, planned) })
}

/** All files are read and planned before the first is applied: a wrong one changes nothing. */
async function apply(session: Session, { paths, options }: PathArguments): Promise<void> {
  const files = await manifestFiles(paths)
  const { client, administration, site } = await connectToSite(session, options)
  const planned = await planOwn(client, { files, as: options.as })
  const due = planned.filter(({ action }) => action !== 'none')
  if (options.json !== true) printPlan(session, planned)
  const described: DescribedView[] = []
  for (const { manifest } of due) described.push(await administration.describe(manifest))
  const { printLacks } = await import('../site/print-lacks.ts')
  show(session, {
    json: options.json,
    value: viewOf(planned),
    print: () => {
      say(session.terminal, due.length === 0 ? `Nothing to do at ${site}` : `In force at ${site}`)
      for (const { lacks } of described) printLacks(session, { site, lacks })
    },
  })
}

/** The plan for whoever acts: no manifest of another issuer. */
async function planOwn(
  client: HttpClient,
  { files, as }: { files: readonly string[]; as: string | undefined },
): Promise<readonly PlannedPolicy[]> {
  const planned = await planPolicy(client, files)
  for (const { file, manifest } of planned) requireIssuer(file, { issuer: manifest.issuer, as })
  return planned
}

async function test(
  session: Session,
  { files, options }: { files: readonly string[]; options: PolicyOptions },
): Promise<number> {
  const { terminal } = session
  const results: PolicyTestResult[] = []
  for (const file of files) results.push(...(await runPolicyTests(file, session.clock.now())))
  const failed = results.filter(({ isGood }) => !isGood)
  show(session, {
    json: options.json,
    value: { tests: results, failed: failed.length },
    print: () => {
      for (const { name, expected, found, isGood } of results) {
        const words = isGood ? `✓ ${name}: ${found}` : `✗ ${name}: ${found}, expected ${expected}`
        say(terminal, paint(terminal, isGood ? 'good' : 'bad', words))
      }
      say(terminal, `${results.length - failed.length} of ${results.length} as expected`)
    },
  })
  return failed.length === 0 ? EXIT.done : EXIT.fellShort
}

function viewOf(planned: readonly PlannedPolicy[]) {
  return planned.map(({ file, dataSet, action, changes }) => ({ file, dataSet, action, changes }))
}

const SIGNS = { add: '+', change: '~', none: '=' } as const

function printPlan({ terminal }: Session, planned: readonly PlannedPolicy[]): void {
  for (const { dataSet, title, action, changes } of planned) {
    say(terminal, `${SIGNS[action]} ${dataSet}: ${action === 'none' ? 'as it is' : title}`)
    for (const change of changes) say(terminal, `    ${changeText(change)}`)
  }
  const count = (wanted: PlannedPolicy['action']) => planned.filter(({ action }) => action === wanted).length
  say(terminal, `${count('add')} to add, ${count('change')} to change, ${count('none')} as they are`)
}

function changeText({ field, from, to }: TermChange): string {
  return `${field}: ${from ?? '(none)'} → ${to ?? '(none)'}`
}
