import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { MemberRecord, SiteRecord } from '../../protocol/http/network-api.ts'
import type { MemberId, SiteId } from '../../protocol/wire.ts'
import { readParties } from './party-store.ts'
import type { Party } from './party-store.ts'

export interface DirectoryFacts {
  /** Of this start of the server and no other. */
  readonly epoch: string
  /** Called after each change. */
  readonly changed: () => void
}

/** Members and sites in memory: every ask looks some up. One process serves a network, so it is the only writer. */
export class Directory {
  readonly #db: Database
  readonly #epoch: string
  readonly #changed: () => void
  #changes = 0
  #parties = new Map<string, Party>()

  private constructor(db: Database, { epoch, changed }: DirectoryFacts) {
    this.#db = db
    this.#epoch = epoch
    this.#changed = changed
  }

  static async open(db: Database, facts: DirectoryFacts): Promise<Directory> {
    const directory = new Directory(db, facts)
    for (const party of await readParties(db)) directory.#parties.set(party.record.id, party)
    return directory
  }

  /** Reads one again after it was written. */
  async refresh(name: string): Promise<Party> {
    const [party] = await readParties(this.#db, name)
    if (!party) throw new Fault('fault.not_found', { what: `There is no member or site "${name}"` })
    this.#parties.set(name, party)
    this.#changes += 1
    this.#changed()
    return party
  }

  /** Another one whenever a member or a site was registered, suspended or changed since: what was read of them before may not hold. */
  get mark(): string {
    return `${this.#epoch}.${this.#changes}`
  }

  find(name: string): Party | undefined {
    return this.#parties.get(name)
  }

  member(id: string): MemberRecord | undefined {
    const party = this.#parties.get(id)
    return party?.kind === 'member' ? party.record : undefined
  }

  site(id: string): SiteRecord | undefined {
    const party = this.#parties.get(id)
    return party?.kind === 'site' ? party.record : undefined
  }

  /** Members after a name, by name. */
  members(): readonly MemberRecord[] {
    return this.#sorted().flatMap((party) => (party.kind === 'member' ? [party.record] : []))
  }

  sites(): readonly SiteRecord[] {
    return this.#sorted().flatMap((party) => (party.kind === 'site' ? [party.record] : []))
  }

  #sorted(): readonly Party[] {
    return [...this.#parties.values()].toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1))
  }
}

/** The present signing key of a party if it has that id: what new requests and asks must be signed with. */
export function presentKey(party: Party | undefined, keyId: string): PublicJwk | undefined {
  const signing = party?.record.keys.signing
  return signing && keyIdOf(signing) === keyId ? signing : undefined
}

/** Any signing key a party has had: statements of a site stay good when its key is rotated before they arrive. */
export function everKey(party: Party | undefined, keyId: string): PublicJwk | undefined {
  return party?.keySets.map(({ signing }) => signing).find((signing) => keyIdOf(signing) === keyId)
}

/** A member that must be there. */
export function requireMember(directory: Directory, id: MemberId): MemberRecord {
  const member = directory.member(id)
  if (!member) throw new Fault('fault.not_found', { what: `There is no member "${id}"` })
  return member
}

/** A site that must be there. */
export function requireSite(directory: Directory, id: SiteId): SiteRecord {
  const site = directory.site(id)
  if (!site) throw new Fault('fault.not_found', { what: `There is no site "${id}"` })
  return site
}
