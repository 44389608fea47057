import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { limitOf, pureLoss } from '../../../src/site/privacy/privacy-loss.ts'
import { loadLosses } from '../../../src/site/privacy/privacy-spends.ts'
import { up } from '../../../src/site/record/migrations/0050-create-privacy-budgets.ts'
import { up as upColluding } from '../../../src/site/record/migrations/0055-create-colluding-members.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'

/** Lets it spend for a while and kills it; gives the answers that it had committed, and whether nothing was left. */
async function spendAndKill(
  url: string,
  afterMs: number,
): Promise<{ asks: readonly string[]; isSpent: boolean }> {
  const file = fileURLToPath(new URL('spend-until-killed.ts', import.meta.url))
  const child = spawn(process.execPath, [file, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  const opened = new Promise<void>((resolve, reject) => {
    reader.on('line', (line) => (line === 'open' ? resolve() : lines.push(line)))
    child.once('exit', () => reject(new Error('ended before it was open')))
  })
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')])
  await opened
  await Promise.race([systemClock.sleep(afterMs), ended])
  child.kill('SIGKILL')
  await ended
  return { asks: lines.filter((line) => line !== 'spent'), isSpent: lines.includes('spent') }
}

test('a site killed with SIGKILL, again and again, has lost no debit and spent no more than there was', async () => {
  const url = await testDatabaseUrl()
  await using postgres = await connect(url, { name: 'test', log: silentLog, stop: () => Promise.resolve() })
  const { db } = postgres
  await migrate(db, {
    '0050-create-privacy-budgets': { up },
    '0055-create-colluding-members': { up: upColluding },
  })
  const acknowledged: string[] = []
  // The child's budget of 1: small losses add up better as rho.
  const [limit, loss] = [limitOf({ epsilon: 1, delta: 1e-6 }), pureLoss(10_000)]
  const most = Math.floor(limit.rhoNano / loss.rhoNano) * loss.epsilonMicro
  assert.ok(most > limit.epsilonMicro)
  for (let round = 0; round < 40; round += 1) {
    const { asks, isSpent } = await spendAndKill(url.reveal(), round < 3 ? 60 + round * 40 : 10_000)
    acknowledged.push(...asks)
    const { rows } = await sql<{ ask_id: string; epsilon_micro: bigint }>`
      select ask_id, epsilon_micro from privacy_spend`.execute(db)
    const kept = new Set(rows.map(({ ask_id: ask }) => ask))
    assert.ok(acknowledged.every((ask) => kept.has(ask)))
    const spent = rows.reduce((sum, { epsilon_micro: epsilon }) => sum + Number(epsilon), 0)
    assert.ok(spent <= most, `${spent} of ${most}`)
    const account = await sql<{ epsilon_micro: bigint }>`select epsilon_micro from privacy_account`.execute(
      db,
    )
    assert.equal(Number(account.rows[0]?.epsilon_micro ?? 0n), spent)
    const losses = await loadLosses(db, { period: await periodOf(db), acquirer: 'insurer' })
    assert.equal(losses.of(7).epsilonMicro, spent)
    if (isSpent) {
      assert.equal(spent, most, 'nothing that was set aside by a killed process stays lost')
      return
    }
  }
  assert.fail('the budget never came to its end')
})

async function periodOf(db: Parameters<typeof loadLosses>[0]): Promise<string> {
  const { rows } = await sql<{ period: string }>`select max(period) as period from privacy_spend`.execute(db)
  return rows[0]?.period ?? ''
}
