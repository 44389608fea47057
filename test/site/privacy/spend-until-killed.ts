import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { openPrivacyLedger } from '../../../src/site/privacy/privacy-ledger.ts'
import { pureLoss } from '../../../src/site/privacy/privacy-loss.ts'

/**
 * A site that does nothing but spend privacy, several answers at once, until it is killed or nothing is left:
 * `node FILE DATABASE-URL`. Each answer that was committed stands on one line of its output.
 */
const postgres = await connect(new Secret(process.argv[2] ?? ''), {
  name: 'test',
  log: silentLog,
  stop: () => Promise.resolve(),
})
const budget = { epsilon: 8, delta: 1e-6 }
const ledger = openPrivacyLedger({
  db: postgres.db,
  budgets: { personAndAcquirer: { epsilon: 1, delta: 1e-6 }, person: budget },
})
const people = Bitset.of(Array.from({ length: 50 }, (_, person) => person))
console.log('open')

async function spendForEver(lane: number): Promise<void> {
  for (let round = 0; ; round += 1) {
    const outcome = await ledger.setAside({
      acquirer: 'insurer',
      dataSets: [{ dataSet: 'athletes', budget }],
      people,
      loss: pureLoss(10_000),
      minimumGroup: 20,
      now: systemClock.now(),
    })
    if (!outcome.ok) return
    using aside = outcome.value
    const ask = `${process.pid}-${lane}-${round}`
    await postgres.db.transaction().execute((tx) => aside.commit(tx, ask))
    console.log(ask)
  }
}

await Promise.all([0, 1, 2].map(spendForEver))
console.log('spent')
process.exit(0)
