import { formatInstant } from '../kernel/clock.ts'
import type { Instant } from '../kernel/clock.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { signAcceptance } from '../protocol/terms-of-use.ts'
import type { Acceptance, TermsVersion } from '../protocol/terms-of-use.ts'
import { memberIdSchema } from '../protocol/wire.ts'
import type { HttpClient } from './http-client.ts'

/** The terms under which acquirers use a network. */
export interface TermsOfUse {
  /** All versions, newest first. */
  versions(): Promise<readonly TermsVersion[]>
  /** The operator; the newest text again changes nothing, but `from` while it has not come. */
  publish(terms: { text: string; from?: Instant | undefined }): Promise<TermsVersion>
  /** Signs that the member accepts a version. */
  accept(
    terms: Pick<TermsVersion, 'digest'>,
    by: { member: string; signing: KeyPair; now: Instant },
  ): Promise<Acceptance>
  /** Who accepted what, newest first. */
  acceptances(member?: string): Promise<readonly Acceptance[]>
}

export function openTermsOfUse(client: HttpClient): TermsOfUse {
  return {
    versions: async () => (await client.call(NETWORK_API.terms)).items,
    publish: ({ text, from }) =>
      client.call(NETWORK_API.publishTerms, {
        body: { text, ...(from === undefined ? {} : { from: formatInstant(from) }) },
        isRepeatable: true,
      }),
    accept: async ({ digest }, { member, signing, now }) => {
      const { name } = await client.call(NETWORK_API.network)
      const id = memberIdSchema.parse(member)
      const said = { member: id, network: name, terms: digest, time: formatInstant(now) }
      return client.call(NETWORK_API.acceptTerms, {
        params: { id },
        body: { statement: signAcceptance(said, signing) },
        isRepeatable: true,
      })
    },
    acceptances: async (member) =>
      (await client.call(NETWORK_API.acceptances, { query: member === undefined ? {} : { member } })).items,
  }
}
