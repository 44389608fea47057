import { deflateSync, inflateSync } from 'node:zlib'
import { Bitset } from '../../kernel/bitset.ts'
import { isWithin } from './privacy-loss.ts'
import type { LossLimit, PrivacyLoss } from './privacy-loss.ts'

/** What each person has lost, in two small numbers each: eight bytes a person, by person number. */
export class PeopleLosses {
  #epsilon: Uint32Array
  #rho: Uint32Array
  /** Nobody has lost more than this: usually enough to know that everybody may be used. */
  #most: PrivacyLoss = { epsilonMicro: 0, rhoNano: 0 }

  constructor(epsilon = new Uint32Array(0), rho = new Uint32Array(0)) {
    this.#epsilon = epsilon
    this.#rho = rho
    this.#most = { epsilonMicro: mostOf(epsilon), rhoNano: mostOf(rho) }
  }

  add(people: Bitset, { epsilonMicro, rhoNano }: PrivacyLoss): void {
    this.#change(people, { epsilonMicro, rhoNano })
    this.#most = {
      epsilonMicro: this.#most.epsilonMicro + epsilonMicro,
      rhoNano: this.#most.rhoNano + rhoNano,
    }
  }

  /** Takes back what was added for an answer that did not come about. */
  takeBack(people: Bitset, { epsilonMicro, rhoNano }: PrivacyLoss): void {
    this.#change(people, { epsilonMicro: -epsilonMicro, rhoNano: -rhoNano })
  }

  /** Those of the people who may lose this much more within a limit. */
  within(people: Bitset, { loss, limit }: { loss: PrivacyLoss; limit: LossLimit }): Bitset {
    const most = {
      epsilonMicro: this.#most.epsilonMicro + loss.epsilonMicro,
      rhoNano: this.#most.rhoNano + loss.rhoNano,
    }
    if (isWithin(most, limit)) return people
    const words = people.words().slice()
    const [epsilon, rho] = [this.#epsilon, this.#rho]
    const [epsilonMax, rhoMax] = [limit.epsilonMicro - loss.epsilonMicro, limit.rhoNano - loss.rhoNano]
    for (let index = 0; index < words.length; index += 1) {
      let word = words[index] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        word ^= lowest
        const person = index * 32 + 31 - Math.clz32(lowest)
        // As `isWithin` has it, without an object for each of a million people.
        if ((epsilon[person] ?? 0) > epsilonMax && (rho[person] ?? 0) > rhoMax)
          words[index] = (words[index] ?? 0) & ~lowest
      }
    }
    return Bitset.fromBytes(new Uint8Array(words.buffer))
  }

  /** What one person has lost. */
  of(person: number): PrivacyLoss {
    return { epsilonMicro: this.#epsilon[person] ?? 0, rhoNano: this.#rho[person] ?? 0 }
  }

  toBytes(): Uint8Array {
    return deflateSync(
      Buffer.concat([Buffer.from(this.#epsilon.slice().buffer), Buffer.from(this.#rho.slice().buffer)]),
    )
  }

  static fromBytes(bytes: Uint8Array): PeopleLosses {
    const whole = inflateSync(bytes)
    const both = new Uint32Array(whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength))
    const half = both.length / 2
    return new PeopleLosses(both.slice(0, half), both.slice(half))
  }

  #change(people: Bitset, { epsilonMicro, rhoNano }: PrivacyLoss): void {
    const { places, words } = people.packed()
    this.#grow(((places.at(-1) ?? -1) + 1) * 32)
    const [epsilon, rho] = [this.#epsilon, this.#rho]
    for (let at = 0; at < places.length; at += 1) {
      const from = (places[at] ?? 0) * 32 + 31
      let word = words[at] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        word ^= lowest
        const person = from - Math.clz32(lowest)
        epsilon[person] = saturated((epsilon[person] ?? 0) + epsilonMicro)
        rho[person] = saturated((rho[person] ?? 0) + rhoNano)
      }
    }
  }

  #grow(length: number): void {
    if (length <= this.#epsilon.length) return
    this.#epsilon = lengthened(this.#epsilon, length)
    this.#rho = lengthened(this.#rho, length)
  }
}

const NUMBER_MAX = 2 ** 32 - 1

/** Past what fits it stays at the most, which is past every budget. */
function saturated(value: number): number {
  return value > NUMBER_MAX ? NUMBER_MAX : value
}

function lengthened(from: Uint32Array, length: number): Uint32Array {
  const to = new Uint32Array(length)
  to.set(from)
  return to
}

function mostOf(values: Uint32Array): number {
  let most = 0
  for (let index = 0; index < values.length; index += 1) most = Math.max(most, values[index] ?? 0)
  return most
}
