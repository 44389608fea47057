import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import type { ReceiptKind } from '../../../src/protocol/proof/receipt.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

test('receipts are paged to the end, each once: the operator sees all, an issuer those of its data sets', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(23) })
  const { name, signing } = trade.federation
  const callers = {
    operator: site.client({ issuer: 'operator', key: site.operatorKey, keepsToken: true }),
    issuer: site.client({ issuer: name, key: signing, keepsToken: true }),
  }
  const seen = async (who: keyof typeof callers, limit: number, kind?: ReceiptKind) => {
    const sequences: number[] = []
    for (let cursor: string | undefined = undefined, pages = 0; ; pages += 1) {
      assert.ok(pages < 100)
      const page: { items: readonly { sequence: number }[]; nextCursor?: string | undefined } = await callers[
        who
      ].call(SITE_API.listReceipts, { query: { limit, cursor, kind } })
      assert.ok(page.items.length <= limit)
      sequences.push(...page.items.map(({ sequence }) => sequence))
      if (page.nextCursor === undefined) return sequences
      cursor = page.nextCursor
    }
  }
  const all = await seen('operator', 500)
  assert.deepEqual(
    all,
    all.map((_, index) => index),
  )
  const grants = await seen('operator', 500, 'grant')
  assert.equal(grants.length, 23)
  const own = await seen('issuer', 500)
  assert.ok(own.length > 23 && own.length < all.length)
  for (const limit of [1, 4, grants.length, all.length]) {
    assert.deepEqual(await seen('operator', limit), all)
    assert.deepEqual(await seen('issuer', limit), own)
    assert.deepEqual(await seen('issuer', limit, 'grant'), grants)
  }
})
