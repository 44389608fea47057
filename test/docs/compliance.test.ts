import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMemberProfile } from '../../src/cli/member-profile.ts'
import { consentAge } from '../../src/protocol/law/consent-ages.ts'
import {
  ADEQUACY_DECISIONS,
  EFTA_STATES,
  EU_STATES,
  isInEea,
  stateOf,
} from '../../src/protocol/law/legal-zones.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { temporaryHome } from '../cli/run-cli.ts'
import { typedHere } from '../cli/typed-here.ts'
import { typedWords, wrongCommands } from './commands-of.ts'
import { ROOT, textOf } from './pages.ts'

const PAGE = 'docs/reference/compliance.md'

/** The commands of the tables in their order. */
const commands = [...textOf(PAGE).matchAll(/`hedgerow ([^`]+)`/g)].map(([, words = '']) => words)
/** What a command must not go before: it takes away what the others show. */
const ENDINGS = ['person erase', 'dataset retire', 'site wind-down']
/** What is shown where something has ended, which nothing has at a fresh site. */
const ENDED = ['Due']
/** These end with 1 while something is to be done, which they say. */
const MAY_FALL_SHORT = [
  'officer assessment list',
  'officer basis list',
  'officer contract list',
  'request list',
  'site doctor',
]

test('every command that the law is shown by is one that the program takes, and every test is there', async () => {
  assert.ok(commands.length > 60, `only ${commands.length} commands were found`)
  // Of one in which something is left out, only the verb is looked at.
  const written = commands.map((words) => ({
    place: PAGE,
    words: words.includes('…') ? [...typedWords(words), '--help'] : typedWords(words),
  }))
  assert.deepEqual(await wrongCommands(written), [])
  const tests = [...textOf(PAGE).matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path)
  assert.ok(tests.length > 40)
  assert.deepEqual(
    tests.filter((path) => !existsSync(join(ROOT, path))),
    [],
  )
})

/** A row of the page by how it begins: what stands in its second column. */
function secondOf(first: string): string {
  const row = textOf(PAGE)
    .split('\n')
    .find((line) => line.startsWith(`| ${first} |`))
  assert.ok(row, first)
  return row.split('|')[2]?.trim() ?? ''
}
const codesIn = (text: string) => [...text.matchAll(/\b[A-Z]{2}\b/g)].map(([code]) => code)

test('ages, countries and grounds for transfers stand on the page as the tables have them', () => {
  const today = '2026-11-27'
  for (const age of [13, 14, 15, 16])
    for (const code of codesIn(secondOf(String(age)))) assert.equal(consentAge(code, today), age, code)
  const area = codesIn(secondOf('the EEA'))
  const aged = [13, 14, 15, 16].flatMap((age) => codesIn(secondOf(String(age))))
  assert.deepEqual(aged.toSorted(), [...area, 'CH', 'GB'].toSorted())
  const states = [...Object.entries(EU_STATES), ...Object.entries(EFTA_STATES)]
  const members = states.filter(([, { until }]) => until === undefined).map(([code]) => code)
  assert.deepEqual(area, members.toSorted())
  for (const code of codesIn(secondOf('part of it, with a code of their own')))
    assert.ok(isInEea(code, today) && stateOf(code) !== code, code)
  for (const code of codesIn(secondOf('not part of it'))) assert.ok(!isInEea(code, today), code)
  const adequate = (isWhole: boolean) =>
    ADEQUACY_DECISIONS.filter(({ condition }) => (condition === undefined) === isWhole)
  assert.deepEqual(
    codesIn(secondOf('for everybody there')),
    adequate(true)
      .map(({ territory }) => territory)
      .toSorted(),
  )
  assert.equal(
    secondOf('for whoever meets its condition'),
    adequate(false)
      .map(({ territory, condition }) => `${territory} (\`${condition}\`)`)
      .toSorted()
      .join(' '),
  )
})

test('every command in which nothing is left out does what it says, at a site with people', async (context) => {
  const home = await temporaryHome(context)
  const root = join(home, 'sites', 'galway')
  await using trade = await testTrade({ sites: [{ name: 'galway', root }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(60) })
  const keys = join(home, 'members', 'federation', 'keys')
  await mkdir(keys, { recursive: true })
  await writeFile(join(keys, 'signing.jwk'), JSON.stringify(trade.federation.signing.privateJwk.reveal()), {
    mode: 0o600,
  })
  await makeMemberProfile(home, { member: 'federation' })
  const whole = commands.filter((words) => words.includes('--site galway') && !words.includes('…'))
  const isEnding = (words: string) => ENDINGS.some((verb) => words.startsWith(verb))
  const inOrder = [...whole.filter((words) => !isEnding(words)), ...whole.filter(isEnding)]
  const wrong: string[] = []
  for (const words of new Set(inOrder)) {
    const here = words
      .replaceAll('world-sport', 'federation')
      .replaceAll('736041664', 'p-5')
      .replace('height=1.82', 'score=42')
    const args = typedWords(here).map((word, index, all) =>
      all[index - 1] === '--out' ? join(home, word) : word,
    )
    const { code, out, error } = await typedHere(home, [...args, '--url', trade.site().url])
    const isDone = code === 0 || (code === 1 && MAY_FALL_SHORT.some((verb) => words.startsWith(verb)))
    // Where the page says under what it is to be found, it has to be there.
    const under = new RegExp(`\`${RegExp.escape(`hedgerow ${words}`)}\`, under \`(\\w+)\``).exec(
      textOf(PAGE),
    )?.[1]
    const isShown = under === undefined || ENDED.includes(under) || out.includes(under)
    if (!isDone || out.trim() === '' || !isShown) wrong.push(`${words}: ${code} ${error}${out}`)
  }
  assert.deepEqual(wrong, [])
})
