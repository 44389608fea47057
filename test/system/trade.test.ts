import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { TestParty } from '../../src/testing/test-network.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'

const SQL =
  'select country, count(*) as people, avg(height) as height from athletes group by country order by country'

suite('a whole trade in one process: described, imported, granted, asked, opened, paid', () => {
  let trade: TestTrade
  before(async () => {
    trade = await testTrade()
    await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(120) })
  })
  after(() => trade[Symbol.asyncDispose]())

  test('with our own client', async () => {
    const northcare = await trade.addAcquirer('northcare')
    const result = await northcare.ask(SQL)
    const [answer] = result.sites
    assert.deepEqual(answer?.problems, [])
    assert.equal(answer?.reason, 'approved')
    assert.equal(answer?.release?.rows.length, 3)
  })

  const hasJose = spawnSync('python3', ['-c', 'import joserfc.jwe, joserfc.jws']).status === 0
  test(
    'with a client in Python that knows docs/reference/asks-on-the-wire.md and nothing of ours',
    { skip: hasJose ? false : 'no Python with joserfc here' },
    async () => {
      const elsewhere = await trade.addAcquirer('elsewhere')
      const { party, acquirer } = elsewhere
      const other = await trade.network.addMember('other', ['acquirer'])
      const found = await askInPython({
        network: trade.network.url,
        ...privateKeys(party),
        dataSet: 'athletes',
        sql: SQL,
        other: privateKeys(other),
      })
      const { sites } = await acquirer.open(await acquirer.find(found.ask))
      const [ours] = sites
      assert.deepEqual(ours?.problems, [])
      assert.deepEqual(found, {
        ask: found.ask,
        sites: [
          {
            site: 'galway',
            reason: 'approved',
            price: { amount: Number(ours?.captured?.amountMinor), currency: 'EUR' },
            columns: ['country', 'people', 'height'],
            rows: ours?.release?.rows,
            receipts: ['ask', 'release'],
            changesRefused: true,
          },
        ],
        again: 'answered',
        other: 'declined.replayed',
        wrongTyp: 'declined.signature',
        networkReceipt: ['decline', 'declined.signature', trade.network.name],
        malformed: [400, 'fault.request_malformed'],
        dryRun: ['approved', 'ask'],
        witnessed: true,
        followed: true,
      })
    },
  )
})

function privateKeys({ name, signing, sealing }: TestParty) {
  return { member: name, signing: signing.privateJwk.reveal(), sealing: sealing.privateJwk.reveal() }
}

const foundSchema = z.looseObject({ ask: z.string() })

/** What the program in `test/sdk/referee` found; not run at once, because the servers are in this process. */
async function askInPython(given: object): Promise<z.infer<typeof foundSchema>> {
  const program = fileURLToPath(new URL('../sdk/referee/ask.py', import.meta.url))
  const python = spawn('python3', [program], { stdio: ['pipe', 'pipe', 'inherit'], timeout: 30_000 })
  python.stdin.end(JSON.stringify(given))
  const written = await text(python.stdout)
  assert.notEqual(written, '', 'the program says on standard error what does not hold')
  return foundSchema.parse(JSON.parse(written))
}
