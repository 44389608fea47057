import type { Session } from '../cli/session.ts'
import { memberClient, operatorClient } from '../cli/connect.ts'
import { makeMemberProfile, readMemberProfile } from '../cli/member-profile.ts'
import { money } from '../kernel/money.ts'
import type { KeySet } from '../protocol/member.ts'
import type { NewMember } from '../protocol/http/network-api.ts'
import { openOperator } from '../sdk/operator.ts'
import type { Operator } from '../sdk/operator.ts'
import { openTermsOfUse } from '../sdk/terms-of-use.ts'
import type { DemoMember, DemoSite } from './demo-parties.ts'
import { DEMO_TERMS } from './demo-terms.ts'

/** Members have at least this share of their deposit when a run begins; what they spent before is deposited again. */
const TOP_UP_BELOW = 0.5

/** Registers who takes part and gives acquirers money to spend. Done again it only tops up. */
export async function setUpNetwork(
  session: Session,
  {
    url,
    members,
    sites,
  }: { url: string; members: readonly DemoMember[]; sites: readonly { site: DemoSite; keys: KeySet }[] },
): Promise<Operator> {
  const operator = openOperator(await operatorClient(session, { network: url }))
  const known = new Set((await operator.members()).map(({ id }) => String(id)))
  await Promise.all(
    members.map(async (member) => {
      const profile = await makeMemberProfile(session.home, {
        member: member.id,
        country: member.country,
        networkUrl: url,
      })
      const keys = { signing: profile.signing.publicJwk, sealing: profile.sealing.publicJwk }
      if (!known.has(member.id)) await operator.addMember(newMember(member, keys))
    }),
  )
  const knownSites = new Set((await operator.sites()).map(({ id }) => String(id)))
  for (const { site, keys } of sites) {
    if (knownSites.has(site.id)) continue
    await operator.addSite({
      id: site.id,
      custodian: site.custodian,
      country: site.territory,
      keys: wireKeys(keys),
    })
  }
  await agreeOnTerms(session, { url, members })
  await topUp(session, { operator, members })
  return operator
}

/** Publishes terms of use where there are none, and accepts for each acquirer what it has not accepted yet. */
async function agreeOnTerms(
  session: Session,
  { url, members }: { url: string; members: readonly DemoMember[] },
): Promise<void> {
  const terms = openTermsOfUse(await operatorClient(session, { network: url }))
  const newest = (await terms.versions())[0] ?? (await terms.publish({ text: DEMO_TERMS }))
  const accepted = new Set(
    (await terms.acceptances()).flatMap(({ member, terms: text }) =>
      text === newest.digest ? [String(member)] : [],
    ),
  )
  const lacking = members.filter(({ id, roles }) => roles.includes('acquirer') && !accepted.has(id))
  await Promise.all(
    lacking.map(async ({ id }) => {
      const profile = await readMemberProfile(session.home, id)
      const own = openTermsOfUse(await memberClient(session, { profile, network: url }))
      await own.accept(newest, { member: id, signing: profile.signing, now: session.clock.now() })
    }),
  )
}

function newMember({ id, name, country, roles, acquirerClass }: DemoMember, keys: KeySet): NewMember {
  return {
    id,
    name,
    country,
    roles: [...roles],
    ...(acquirerClass === undefined ? {} : { acquirerClass }),
    keys: wireKeys(keys),
  }
}

/** Copies keys into the form of a message, whose curve stands for its use. */
function wireKeys({ signing, sealing }: KeySet): NewMember['keys'] {
  return { signing: { ...signing }, sealing: { ...sealing } }
}

async function topUp(
  session: Session,
  { operator, members }: { operator: Operator; members: readonly DemoMember[] },
): Promise<void> {
  const balances = await operator.balances()
  await Promise.all(
    members.map(async ({ id, depositEur = 0 }) => {
      const wantedMinor = depositEur * 100
      const funds = balances.find(
        ({ owner, kind, currency }) => owner === id && kind === 'funds' && currency === 'EUR',
      )
      const availableMinor = funds?.availableMinor ?? 0
      if (wantedMinor === 0 || availableMinor >= wantedMinor * TOP_UP_BELOW) return
      await operator.deposit({
        member: id,
        amount: money(wantedMinor - availableMinor, 'EUR'),
        reference: 'demonstration',
        idempotencyKey: session.ids.next('key'),
      })
    }),
  )
}
