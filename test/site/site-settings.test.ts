import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemSchema } from '../../src/protocol/http/problem.ts'
import { signClientAssertion } from '../../src/protocol/http/client-assertion.ts'
import { siteSettingsSchema } from '../../src/site/config.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'

test('a removed adequacy decision ends releases that rest on it, at the site that removed it', async () => {
  await using trade = await testTrade({
    sites: [{ name: 'galway', settings: { removedTransferGrounds: ['adequacy-ch'] } }, { name: 'cork' }],
  })
  const perimeter = {
    store: { within: ['IE'] },
    process: { within: ['IE'] },
    release: { within: ['EEA', 'CH'] },
  }
  const people = testPeople(120)
  for (const site of trade.sites)
    await trade.fill(site, { dataSet: 'athletes', people, manifest: { perimeter } })
  const lab = await trade.addAcquirer('lab')
  const sql = 'select count(*) as people from athletes'
  const abroad = await lab.ask(sql, { releaseTo: { jurisdiction: 'CH' } })
  assert.deepEqual(reasons(abroad), { galway: 'declined.perimeter_release', cork: 'approved' })
  const athome = await lab.ask(sql)
  assert.deepEqual(reasons(athome), { galway: 'approved', cork: 'approved' })
  await refusesReplayAfterRestart(trade, trade.site('galway'))
})

function reasons({ sites }: { sites: readonly { site: string; reason?: string | undefined }[] }) {
  return Object.fromEntries(sites.map(({ site, reason }) => [site, reason]))
}

/** A token that was copied from the wire is of no use, not even after the site was started anew. */
async function refusesReplayAfterRestart(trade: TestTrade, site: TestSite): Promise<void> {
  const token = signClientAssertion({
    issuer: 'operator',
    audience: site.name,
    now: trade.clock.now(),
    jti: trade.network.ids.next('jti'),
    key: site.operatorKey,
  })
  const send = () => fetch(`${site.url}/v1/evidence`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await send()).status, 200)
  await site.stop()
  await site.start()
  const again = await send()
  assert.equal(again.status, 401)
  assert.match(problemSchema.parse(await again.json()).detail ?? '', /replayed$/)
}

test('removedTransferGrounds takes a list, or names with commas, and nothing that is not in the tables', () => {
  const settings = (removedTransferGrounds: unknown) =>
    siteSettingsSchema.safeParse({
      site: 'galway',
      custodian: 'edgeworks',
      territory: 'IE',
      network: { url: 'http://127.0.0.1:7400' },
      removedTransferGrounds,
    })
  assert.deepEqual(settings(['scc']).data?.removedTransferGrounds, ['scc'])
  assert.deepEqual(settings('adequacy-us, bcr').data?.removedTransferGrounds, ['adequacy-us', 'bcr'])
  assert.deepEqual(settings(undefined).data?.removedTransferGrounds, [])
  const wrong = settings('adequacy-xx')
  assert.match(wrong.error?.issues[0]?.message ?? '', /^expected one of adequacy-ad, .*scc, bcr$/)
})
