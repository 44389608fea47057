import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { siteSettingsSchema } from '../../src/site/config.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/*
 * An acquirer on the local network of a site that reads its meters before and after an ask. Measure of success: it is told the
 * processor's time to the millisecond, which time classes hide, or that somebody withdrew just now.
 */

const TELLING = /process_cpu_seconds_total|grant_changes_total|erasures_total/

test('meters are read on the machine of a site, and by nobody else whom its settings do not name', async () => {
  await using trade = await testTrade({ sites: [{ name: 'galway' }] })
  const behindProxy = await trade.addSite({
    name: 'zurich',
    territory: 'CH',
    settings: { requestRates: { addressHeader: 'x-real-ip' }, metricsReaders: ['10.0.0.5', 'FE80::1'] },
  })
  const read = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/metrics`, { headers })
    return { status: response.status, text: await response.text() }
  }
  const direct = trade.site('galway').url
  const own = await read(direct)
  assert.equal(own.status, 200)
  assert.match(own.text, TELLING)
  for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
    const { status, text } = await read(direct, { [header]: '10.0.0.9' })
    assert.equal(status, 403, header)
    assert.doesNotMatch(text, TELLING)
  }
  // A page of another site in a browser on this machine, whose name was made to lead here.
  assert.equal(await statusAs(direct, 'rebound.example'), 403)
  assert.equal(await statusAs(direct, 'localhost'), 200)
  const from = async (address: string) => (await read(behindProxy.url, { 'x-real-ip': address })).status
  const seen = {
    named: await from('10.0.0.5'),
    mapped: await from('::ffff:10.0.0.5'),
    inOtherLetters: await from('fe80::1'),
    nobody: await from('10.0.0.9'),
    looksLocal: await from('127.0.0.1.example'),
  }
  assert.deepEqual(seen, { named: 200, mapped: 200, inOtherLetters: 200, nobody: 403, looksLocal: 403 })
})

test('a reader of meters is an address', () => {
  const settings = { site: 'galway', custodian: 'edgeworks', territory: 'IE', network: { url: 'http://n' } }
  const parsed = siteSettingsSchema.safeParse({ ...settings, metricsReaders: ['prometheus'] })
  assert.match(parsed.error?.issues[0]?.message ?? '', /address of a machine/)
})

/** What a server answers whoever calls it by this name, which `fetch` does not let one choose. */
function statusAs(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/metrics`, { headers: { host }, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}
