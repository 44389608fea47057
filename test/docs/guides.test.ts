import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { CliRun } from '../cli/run-cli.ts'
import { typedHere } from '../cli/typed-here.ts'
import { typedWords } from './commands-of.ts'
import { openGuideDesk } from './guide-desk.ts'
import type { GuideDesk } from './guide-desk.ts'
import { SCENES } from './guide-scenes.ts'
import type { Stage } from './guide-scenes.ts'
import { ROOT, blocksOf, pages, textOf } from './pages.ts'

/** Which end something for everybody: terms that everybody has to accept, and a custody. */
const LAST = ['rotate-keys', 'agree-on-terms-of-use', 'take-the-officers-seat']

/** The athlete that the guides are written about. */
const WRITTEN_PERSON = '736041664'

/** Commands that need a machine, another server or a device of their own, and the test that types or does them. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^hedgerow (site|network) serve/, 'test/docs/commands.test.ts'],
  [/^hedgerow site (restore|holds .*--lift)/, 'test/system/backup.test.ts'],
  [/^hedgerow network rotate-key/, 'test/network/rotate-keys.test.ts'],
  [/prove-age .*--proof/, 'test/site/principals/wallet.test.ts'],
  [/ …$/, 'test/docs/commands-known.test.ts'],
]

/** Verbs that end with 1 while something waits for somebody, so that a timer can watch them. */
const WATCHES = /^hedgerow (\S+ )*(list|doctor|holds|recipients)\b/

/** Verbs that only tell something: they are typed again, as a program would. */
const READS =
  /^hedgerow (?!.* --(?:json|out|format) ?)(?:\S+ )*(?:list|show|usage|retention|uses|earnings|offers|doctor)\b/

suite('the commands of the guides do what they say', { timeout: 3_600_000 }, () => {
  let desk: GuideDesk
  /** By what it begins with, the last id that was printed. */
  const seen = new Map<string, string>()
  const cwd = process.cwd()
  before(async () => {
    desk = await openGuideDesk()
    process.chdir(desk.directory)
  })
  after(async () => {
    process.chdir(cwd)
    await desk[Symbol.asyncDispose]()
  })
  const guides = pages().filter((page) => page.startsWith('docs/how-to/'))
  const isLast = (page: string) => LAST.indexOf(basename(page, '.md'))
  for (const page of guides.toSorted((a, b) => isLast(a) - isLast(b)))
    test(page, async () => {
      await desk.trade.site('galway').start()
      await follow(desk, { page, seen })
    })

  test('where one is left to another test, that is there', () => {
    for (const [, file] of ELSEWHERE) assert.ok(existsSync(join(ROOT, file)), file)
  })
})

/** Types the commands of a page one after another; each has to end well. */
async function follow(
  desk: GuideDesk,
  { page, seen }: { page: string; seen: Map<string, string> },
): Promise<void> {
  const scene = SCENES[basename(page, '.md')] ?? {}
  const type = async (
    command: string,
    environment: Record<string, string> = {},
    more: readonly string[] = [],
  ): Promise<CliRun> => {
    const words = typedWords(filled(command).replace(/^(\.\/)?hedgerow /, ''))
    const run = await typedHere(desk.home, [...words, ...more], {
      environment: { HEDGEROW_NETWORK_URL: desk.trade.network.url, ...environment },
    })
    for (const [id, prefix = ''] of `${run.out}${run.error}`.matchAll(/\b([a-z]+)_[0-9A-Z]{26}\b/g))
      seen.set(prefix, id)
    return run
  }
  const stage: Stage = {
    desk,
    person: desk.nextPerson(),
    async type(command) {
      const run = await type(command)
      assert.equal(run.code, 0, `before ${page}: ${command}\n${run.out}${run.error}`)
      return run
    },
  }
  const filled = (text: string) => fill(text, { person: stage.person, seen })
  await writeFile(join(desk.directory, 'my.token'), await desk.token(stage.person))
  await scene.prepare?.(stage)
  for (const { info, text, line } of blocksOf(textOf(page))) {
    await writeShownFile(desk.directory, scene.shown?.(filled(text)) ?? filled(text))
    if (info !== 'sh') continue
    for (const written of commandsIn(text)) {
      if (ELSEWHERE.some(([which]) => which.test(written))) continue
      await scene.before?.(stage, written)
      const command = scene.rewrite?.(filled(written), stage) ?? filled(written)
      const environment = await scene.environment?.(stage)
      const run = await type(command, environment)
      const isWell = run.code === 0 || (run.code === 1 && WATCHES.test(command) && run.error === '')
      assert.ok(isWell, `${page}:${line} ended with ${run.code}: ${command}\n${run.out}${run.error}`)
      if (READS.test(command)) assertJson(command, await type(command, environment, ['--json']))
    }
  }
}

/** What a program is given is JSON, in which a moment is a text and no number of milliseconds. */
function assertJson(command: string, { out }: CliRun): void {
  assert.doesNotThrow(() => void JSON.parse(out), `${command} --json\n${out}`)
  assert.doesNotMatch(out, /": (?:1[5-9]\d{11}|[2-9]\d{12})\b/, `${command} --json`)
}

function commandsIn(text: string): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => /^(\.\/)?hedgerow /.test(line))
    .map((line) => line.replace(/^\.\//, ''))
}

/** Puts in what a page leaves out: whose key, and the id of what was made before. */
function fill(text: string, { person, seen }: { person: string; seen: ReadonlyMap<string, string> }): string {
  return text
    .replaceAll(WRITTEN_PERSON, person)
    .replaceAll(
      /\b([a-z]+)_(?:[0-9A-Z]{3,}…|01KB0{22})/g,
      (written, prefix: string) => seen.get(prefix) ?? written,
    )
}

/** Writes what a page shows as a file with its name in the first line, such as `# dpia.yaml`. */
async function writeShownFile(directory: string, text: string): Promise<void> {
  const name = /^# (\S+\.ya?ml)\n/.exec(text)?.[1]
  if (name !== undefined) await writeFile(join(directory, name), `${text}\n`)
}
