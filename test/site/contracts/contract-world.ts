import { after } from 'node:test'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

/*
 * A site without a contract of processing, on a clock that stands still: the same for all tests of a file.
 */

/** The clock of all of it. */
export const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))

/** The network with the site and the issuer `federation`. */
export const trade = await testTrade({ clock, sites: [{ name: 'galway', hasContract: false }] })
after(() => trade[Symbol.asyncDispose]())

/** The site. */
export const site = trade.site()

/** Sixty people. */
export const people = testPeople(60)

/** The officer's seat as a party has it. Made anew each time: a site that was stopped and started has another address. */
export const seatOf = (party: TestParty) =>
  openOfficer(site.client({ issuer: party.name, key: party.signing }))

/** The same as the issuer has it. */
export const controller = () => seatOf(trade.federation)

/** The same as the operator of the site has it. */
export const custodian = () => openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))

let askers = 0

/** What a new acquirer hears who counts people: how many, or why not. */
export async function count(dataSet = 'athletes'): Promise<unknown> {
  const acquirer = await trade.addAcquirer(`asker-${(askers += 1)}`)
  const { sites } = await acquirer.ask(`select count(*) from ${dataSet}`, { offer: dataSet })
  return sites[0]?.release?.rows[0]?.[0] ?? sites[0]?.reason
}
