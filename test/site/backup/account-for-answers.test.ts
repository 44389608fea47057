import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { receiptSchema } from '../../../src/protocol/proof/receipt.ts'
import type { Receipt, ReceiptDraft } from '../../../src/protocol/proof/receipt.ts'
import { accountForAnswers } from '../../../src/site/backup/account-for-answers.ts'
import { gaussianLoss, pureLoss } from '../../../src/site/privacy/privacy-loss.ts'
import { isSpent, loadLosses, readAccount } from '../../../src/site/privacy/privacy-spends.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

const bare = await bareSite()
after(() => bare[Symbol.asyncDispose]())
await bare.fill({ dataSet: 'athletes', people: testPeople(25) })
await bare.fill({ dataSet: 'runs', people: testPeople(25) })

/** A site at which two acquirers are known to put their answers together. */
const site = {
  ...bare.site,
  groups: {
    groupOf: ({ id }: { id: string }) => Promise.resolve(id === 'fig' || id === 'gorse' ? 'fig+gorse' : id),
  },
}

let next = 0
function receipt(draft: Partial<ReceiptDraft>, time = '2026-11-28T09:00:00Z'): Receipt {
  next += 1
  return receiptSchema.parse({
    kind: 'ask',
    site: 'galway',
    sequence: next,
    time,
    askId: `ask_${next}`,
    ...draft,
  })
}

test('whoever was told something exact after the backup is held, once, with those it works with; nobody else is', async () => {
  const told = await accountForAnswers(site, {
    backup: 'backup_1',
    receipts: [
      receipt({ acquirer: 'lark', mode: 'aggregate' }),
      receipt({ acquirer: 'lark', mode: 'aggregate' }),
      receipt({ acquirer: 'gorse', mode: 'rows' }),
      receipt({ acquirer: 'heath', mode: 'private', epsilon: 0.25 }),
      receipt({ kind: 'decline', acquirer: 'moss', mode: 'aggregate' }),
      receipt({ kind: 'grant', acquirer: 'reed' }),
    ],
  })
  assert.deepEqual(told, { held: ['fig+gorse', 'lark'], debited: 1 })
  const { rows } = await sql<{ name: string; backup: string }>`
    select acquirer_group as name, backup from guard_hold where lifted_ms is null order by 1`.execute(site.db)
  assert.deepEqual(rows, [
    { name: 'fig+gorse', backup: 'backup_1' },
    { name: 'lark', backup: 'backup_1' },
  ])
})

test('what noisy answers cost is debited by whichever noise costs more, of everybody, in the year of each', async () => {
  const asks = [
    receipt({ acquirer: 'fig', mode: 'private', epsilon: 0.5 }),
    receipt({ acquirer: 'gorse', mode: 'private', epsilon: 0.3 }),
    receipt({ acquirer: 'gorse', mode: 'private', epsilon: 1.9 }, '2025-12-31T23:59:59Z'),
  ]
  assert.deepEqual(await accountForAnswers(site, { backup: 'backup_2', receipts: asks }), {
    held: [],
    debited: 3,
  })
  const lossOf = (epsilonMicro: number) => ({
    epsilonMicro,
    rhoNano: Math.max(pureLoss(epsilonMicro).rhoNano, gaussianLoss(epsilonMicro).rhoNano),
  })
  const both = {
    epsilonMicro: 800_000,
    rhoNano: lossOf(500_000).rhoNano + lossOf(300_000).rhoNano,
  }
  for (const [period, loss] of [
    ['2026', both],
    ['2025', lossOf(1_900_000)],
  ] as const) {
    for (const dataSet of ['athletes', 'runs'])
      assert.deepEqual(await readAccount(site.db, { period, acquirer: 'fig+gorse', dataSet }), loss, period)
    const losses = await loadLosses(site.db, { period, acquirer: 'fig+gorse' })
    for (const person of [0, 24]) assert.deepEqual(losses.of(person), loss, period)
    assert.deepEqual(losses.of(25), { epsilonMicro: 0, rhoNano: 0 })
  }
  const ofAll = await loadLosses(site.db, { period: '2026', acquirer: '' })
  assert.equal(ofAll.of(3).epsilonMicro, both.epsilonMicro + 250_000)
  for (const { askId = '' } of asks)
    assert.ok(await isSpent(site.db, askId), 'an ask that comes back is not run again')
})
