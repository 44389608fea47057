import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { blocksOf, pages, textOf } from './pages.ts'
import { isAsShown, openDesk } from './run-pages.ts'
import type { Desk } from './run-pages.ts'

/** Each goes on with what the ones before it made. */
const PAGES = [
  'docs/tutorial/first-trade.md',
  'docs/how-to/import-data.md',
  'docs/how-to/give-and-revoke-grants.md',
  'docs/how-to/ask-and-verify.md',
  'docs/how-to/ask-for-decisions.md',
]

/** Each block of a page has an end of its own: however slow the machine, many blocks that go on are not one that hangs. `Infinity` would leave the limit of the command line. */
const UNHURRIED = { timeout: 3_600_000 }

suite('the commands of the documentation', UNHURRIED, () => {
  let desk: Desk
  before(async () => {
    desk = await openDesk()
  })
  after(() => desk[Symbol.asyncDispose]())

  for (const page of PAGES)
    test(`of ${page} do what it says, typed one after another`, UNHURRIED, async () => {
      for await (const { place, code, expectedCode, out, shown } of desk.run(page)) {
        assert.equal(code, expectedCode, `${place} ended with ${code}:\n${out}`)
        if (shown !== undefined && !isAsShown(out, shown)) assert.equal(out, shown, place)
      }
    })

  test('are run wherever they are marked to be run', () => {
    const marked = pages().filter((page) =>
      blocksOf(textOf(page)).some(({ info }) => /^sh (run|serve)\b/.test(info)),
    )
    assert.deepEqual(marked.toSorted(), PAGES.toSorted())
  })

  test('what is printed is compared but for times, ids and what the page leaves out', () => {
    assert.ok(isAsShown('given at 2026-11-24T03:42:07.449Z', 'given at 2025-01-01T00:00:00.000Z'))
    assert.ok(isAsShown('one\ntwo\nthree', 'one\n…\nthree'))
    assert.ok(!isAsShown('one\ntwo\nthree', 'one\n…\nfour'))
    assert.ok(!isAsShown('57 grants are given', '56 grants are given'))
  })
})
