import { after } from 'node:test'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

/* A site whose controller and custodian have described themselves, with one data set for two purposes. */

/** The clock of everybody here. */
export const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))

/** The network of the site. */
export const trade = await testTrade({ clock })
after(() => trade[Symbol.asyncDispose]())

/** The site. */
export const site = trade.site()

/** How many people the data set is about. */
export const COUNT = 60

/** Who the data set is about. */
export const people = testPeople(COUNT)

await trade.fill(site, {
  dataSet: 'athletes',
  people,
  manifest: {
    purposes: ['dpv:ResearchAndDevelopment', 'dpv:Personalisation'],
    perimeter: {
      store: { within: ['EEA'] },
      process: { within: ['EEA'] },
      release: { within: ['EEA', 'adequate'] },
    },
  },
  grants: grantsOfAll(),
})

/** A grant of each, for both purposes. */
export function grantsOfAll() {
  const purposes = ['dpv:ResearchAndDevelopment', 'dpv:Personalisation']
  return people.map(({ id }) => testGrant('athletes', id, { purposes }))
}

/** The seat of an issuer or an authority. */
export const seatOf = (party: TestParty) =>
  openOfficer(site.client({ issuer: party.name, key: party.signing }))

/** The seat of the custodian. */
export const custodian = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))

/** The seat of the issuer. */
export const controller = seatOf(trade.federation)

/** How the issuer describes itself. */
export const contact = {
  name: 'World Federation of <Sports> & Games',
  address: '1 Eyre Square, Galway',
  country: 'IE',
  email: 'privacy@federation.example',
  dataProtectionOfficer: { name: 'Orla Byrne', email: 'dpo@federation.example' },
  supervisoryAuthority: 'Data Protection Commission',
}
await controller.describeParty('federation', contact)
await custodian.describeParty('edgeworks', { ...contact, name: 'Edgeworks' })
