import type { Clock } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { SiteActs } from './site-acts.ts'

/** The name under which the operator's key signs its tokens. */
const OPERATOR = 'operator'

/** Whose key it is that signed a token, and what that makes them at a site. */
export type KnownKey =
  | { readonly kind: 'operator' | 'regulator' | 'issuer' | 'acquirer'; readonly key: PublicJwk }
  | {
      readonly kind: 'officer' | 'enforcement_point'
      readonly key: PublicJwk
      readonly issuer?: MemberId | undefined
    }

/** A name and the id of a key that is said to be its. */
export interface NamedKey {
  readonly issuer: string
  readonly keyId: string
}

/** Where keys of callers are found. */
export interface KeySources {
  readonly operatorKey: PublicJwk
  issuerKey(member: string, keyId: string): Promise<PublicJwk | undefined>
  /** The same of a data-protection officer, and whose it is. */
  officerKey(
    member: string,
    keyId: string,
  ): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined>
  /** The same of a supervisory authority that may read here. */
  regulatorKey(member: string, keyId: string): Promise<PublicJwk | undefined>
  /** The same of an enforcement point, and whose it is. */
  pointKey(
    member: string,
    keyId: string,
  ): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined>
  /** The same of a member whose keys this site has pinned: it may ask here. */
  acquirerKey(member: string, keyId: string): Promise<PublicJwk | undefined>
}

/** How long a key is believed without looking again: only a change that somebody makes past this server waits for it. */
const KEPT_MS = 5_000
const KEPT_MAX = 1_000

/** Keys of callers, kept a moment. Whoever changes one through this server has it forgotten at once. */
export class CallerKeys {
  readonly #sources: KeySources
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly known: KnownKey; readonly at: number }>()
  /** Counts changes, so that what was read before one is not kept after it. */
  #changes = 0

  constructor(sources: KeySources, clock: Clock) {
    this.#sources = sources
    this.#clock = clock
  }

  async find(named: NamedKey): Promise<KnownKey | undefined> {
    const name = `${named.keyId} ${named.issuer}`
    const kept = this.#kept.get(name)
    const now = this.#clock.now()
    if (kept && Math.abs(now - kept.at) < KEPT_MS) return kept.known
    const changes = this.#changes
    const known = await lookedUp(named, this.#sources)
    // An acquirer is known by what the network says of it, which is kept elsewhere.
    if (known && known.kind !== 'acquirer' && changes === this.#changes) {
      if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
      this.#kept.set(name, { known, at: now })
    }
    return known
  }

  forget(): void {
    this.#changes += 1
    this.#kept.clear()
  }
}

/** Whose key it is: an authority before an officer, an issuer, an enforcement point, an acquirer. */
async function lookedUp({ issuer, keyId }: NamedKey, sources: KeySources): Promise<KnownKey | undefined> {
  if (issuer === OPERATOR) return { kind: 'operator', key: sources.operatorKey }
  const [regulator, officer, own, point] = await Promise.all([
    sources.regulatorKey(issuer, keyId),
    sources.officerKey(issuer, keyId),
    sources.issuerKey(issuer, keyId),
    sources.pointKey(issuer, keyId),
  ])
  if (regulator) return { kind: 'regulator', key: regulator }
  if (officer) return { kind: 'officer', ...officer }
  if (own) return { kind: 'issuer', key: own }
  if (point) return { kind: 'enforcement_point', ...point }
  const acquirer = await sources.acquirerKey(issuer, keyId)
  return acquirer && { kind: 'acquirer', key: acquirer }
}

/** Acts that change whose keys count here, each followed by forgetting what was known before it. */
export function forgettingKeys(acts: SiteActs, keys: CallerKeys): SiteActs {
  const { officer, access } = acts
  const after = async <T>(change: Promise<T>): Promise<T> => change.finally(() => keys.forget())
  return {
    ...acts,
    registerIssuer: (issuer) => after(acts.registerIssuer(issuer)),
    officer: {
      ...officer,
      nameOfficer: (named) => after(officer.nameOfficer(named)),
      dismissOfficer: (dismissed) => after(officer.dismissOfficer(dismissed)),
      registerRegulator: (regulator) => after(officer.registerRegulator(regulator)),
      removeRegulator: (member) => after(officer.removeRegulator(member)),
    },
    access: {
      ...access,
      namePoint: (point) => after(access.namePoint(point)),
      dismissPoint: (point) => after(access.dismissPoint(point)),
    },
  }
}
