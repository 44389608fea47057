import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { readKeyFile } from '../../src/kernel/crypto/key-file.ts'
import type { KeyPair } from '../../src/kernel/crypto/keys.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import type { AskState } from '../../src/protocol/http/network-api.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import { addAcquirer, fileBody, offered } from '../../src/testing/test-trade.ts'
import { QUICK, giveLimit, locally, moneyOf, until } from '../site/floor/local-world.ts'

/** More rounds in `make faults` than beside the other tests. */
const ROUNDS = process.env['HEDGEROW_FAULTS'] === undefined ? 1 : 6
const SQL = 'select country, count(*) as n from athletes group by country'
const LIMIT_MINOR = 20_000

test(
  'a site that is killed between its local answers and their clearing, with the network away, clears each once',
  { timeout: 600_000 },
  async () => {
    await using processes = await testProcesses(process.env, { siteSettings: QUICK })
    const { caller, site, network } = processes
    await processes.siteIssuer.describe(testManifest('athletes'))
    const people = testPeople(120)
    const body = fileBody(csvOf(people))
    await processes.siteIssuer.importFile({ dataSet: 'athletes', batch: 'first', format: 'csv', body })
    await processes.siteIssuer.giveGrants(people.map(({ id }) => testGrant('athletes', id)))
    await offered(caller, { site: 'galway', dataSet: 'athletes' })
    const acquirer = await addAcquirer(caller, { name: 'alder-care', url: network.url })
    const client = (who: { issuer: string; key: KeyPair }) =>
      httpClient({
        server: { url: site.url, name: 'galway' },
        caller: who,
        clock: systemClock,
        ids: caller.ids,
      })
    const local = locally(acquirer, { site: { client: (who) => client(who ?? fail()) }, network: caller })
    await giveLimit(caller, { site: 'galway', acquirer: 'alder-care', amountMinor: LIMIT_MINOR })
    await until('the site takes the member in', () =>
      local.ask(acquirer.request(SQL, { dryRun: true })).then(
        ({ sites }) => sites[0]?.reason === 'approved',
        () => false,
      ),
    )
    const answers = new Map<string, AskState>()
    for (let round = 0; round < ROUNDS; round += 1) {
      await network.kill()
      const unsure: string[] = []
      const asking = Array.from({ length: 6 }, async () => {
        const { ask, jws } = await local.prepare(acquirer.request(SQL))
        unsure.push(jws)
        answers.set(ask.id, await local.send(jws))
      })
      // Killed while some are acknowledged and others are not.
      await Promise.race(asking)
      await systemClock.sleep((systemRandom.bytes(1)[0] ?? 0) / 8)
      await site.kill()
      await Promise.allSettled(asking)
      await site.start()
      // Whoever got no answer asks again; what was acknowledged is given again.
      for (const jws of unsure) {
        const state = await local.send(jws)
        const known = answers.get(state.id)
        if (known) assert.deepEqual(coreOf(state), coreOf(known))
        answers.set(state.id, known ?? state)
      }
      await network.start()
    }
    const key = await readKeyFile(join(processes.home, 'sites', 'galway', 'keys', 'operator.jwk'))
    const operator = client({ issuer: 'operator', key })
    const limits = async () => (await operator.call(SITE_API.siteFloorLimits, { query: { limit: 10 } })).items
    await until('all is cleared', async () => (await limits()).every(({ toClear }) => toClear === 0))
    const [limit] = await limits()
    const booked = [...answers.values()].reduce(
      (sum, { sites }) => sum + (sites[0]?.captured?.amountMinor ?? 0n),
      0n,
    )
    assert.ok(answers.size >= 6 * ROUNDS && booked > 0n)
    assert.deepEqual([limit?.booked.amountMinor, limit?.refused], [booked, 0])
    const paid = Number(booked)
    assert.deepEqual(await moneyOf(caller, 'alder-care'), {
      available: 100_000 - LIMIT_MINOR,
      held: LIMIT_MINOR - paid,
      paid,
    })
  },
)

/** What an acquirer was told, without the proofs, which grow with the log. */
function coreOf({ id, sites }: AskState) {
  return [id, sites.map(({ receipts, ...site }) => [site, receipts.map(({ receipt }) => receipt)])]
}

function fail(): never {
  throw new Error('An acquirer calls with its key')
}
