import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { blocksOf, pages, textOf } from './pages.ts'
import { isAsShown, openDesk } from './run-pages.ts'

/** Each goes on with what the ones before it made. */
const PAGES = [
  'docs/tutorial/first-trade.md',
  'docs/how-to/import-data.md',
  'docs/how-to/give-and-revoke-grants.md',
  'docs/how-to/ask-and-verify.md',
  'docs/how-to/ask-for-decisions.md',
]

suite('the commands of the documentation', () => {
  test('do what the pages say, typed one after another', { timeout: 110_000 }, async () => {
    await using desk = await openDesk()
    for (const page of PAGES) {
      for await (const { place, code, expectedCode, out, shown } of desk.run(page)) {
        assert.equal(code, expectedCode, `${place} ended with ${code}:\n${out}`)
        if (shown !== undefined && !isAsShown(out, shown)) assert.equal(out, shown, place)
      }
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
