import { generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { formatInstant, systemClock } from '../kernel/clock.ts'
import { systemRandom } from '../kernel/random.ts'

/** A certificate with its key, as Node's TLS takes them. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** A certificate authority made for one test, which nobody else knows. */
export interface TestAuthority {
  /** Its own certificate: what whoever trusts it is given. */
  readonly ca: string
  /** A certificate for a server, by its names or addresses; `validFor` says until when, in years from now. */
  issue(facts: { names?: readonly string[]; addresses?: readonly string[]; years?: number }): TestCertificate
}

/** Makes an authority with Ed25519 keys (RFC 5280, RFC 8410). */
export function testAuthority(name = 'Made for a test'): TestAuthority {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const isAuthority = extension('551d13', true, sequence(der(0x01, Buffer.from([0xff]))))
  const own = certificate(
    { subject: name, issuer: name, publicKey, extensions: [isAuthority], years: 1 },
    privateKey,
  )
  return {
    ca: own,
    issue({ names = [], addresses = [], years = 1 }) {
      const keys = generateKeyPairSync('ed25519')
      const alternatives = [
        ...names.map((one) => der(0x82, Buffer.from(one))),
        ...addresses.map((one) => der(0x87, Buffer.from(one.split('.').map(Number)))),
      ]
      const extensions = [extension('551d11', false, sequence(...alternatives))]
      const facts = {
        subject: names[0] ?? 'server',
        issuer: name,
        publicKey: keys.publicKey,
        extensions,
        years,
      }
      return {
        cert: certificate(facts, privateKey),
        key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

function certificate(
  facts: {
    subject: string
    issuer: string
    publicKey: KeyObject
    extensions: readonly Buffer[]
    years: number
  },
  authority: KeyObject,
): string {
  const year = Number(formatInstant(systemClock.now()).slice(0, 4))
  const [from, until] = facts.years > 0 ? [year - 1, year + facts.years] : [year - 3, year - 2]
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), systemRandom.bytes(8)])),
    ED25519,
    named(facts.issuer),
    sequence(startOf(from), startOf(until)),
    named(facts.subject),
    facts.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...facts.extensions)),
  )
  const bits = Buffer.concat([Buffer.from([0]), sign(null, signed, authority)])
  const whole = sequence(signed, ED25519, der(0x03, bits)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${whole.replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
}

/** The first moment of a year, as `UTCTime`. */
function startOf(year: number): Buffer {
  return der(0x17, Buffer.from(`${String(year % 100).padStart(2, '0')}0101000000Z`))
}

/** A name of one part, the common one. */
function named(commonName: string): Buffer {
  return sequence(
    der(0x31, sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(commonName)))),
  )
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return sequence(der(0x06, Buffer.from(id, 'hex')), ...critical, der(0x04, value))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

/** One value in DER (X.690): tag, length, contents. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : [0x82, Math.floor(length / 0x100), length % 0x100]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

/** The algorithm of every signature here. */
const ED25519 = sequence(der(0x06, Buffer.from('2b6570', 'hex')))
