import type { Context } from 'hono'
import { z } from 'zod'
import { callerAddress } from './request-rates.ts'

/** Addresses of machines that may read the meters of a server, besides the one it runs on. */
export const metricsReadersSchema = z
  .array(
    z
      .union([z.ipv4(), z.ipv6()], 'expected the address of a machine, such as 10.0.0.5')
      .transform(plainAddress),
  )
  .default([])

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/

/** Names by which a program on this machine calls it. A page in a browser here, of a site whose name leads here, calls it by that name. */
const OWN_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i

/** By which a proxy on this machine says that it asks for somebody elsewhere. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'] as const

/**
 * Whether a request for the meters comes from this machine, or from one that the settings name. They count what is done for people
 * as it happens, and tell the processor's time to the millisecond, which the time class of an answer hides: nothing for
 * whoever asks questions here.
 */
function mayReadMetrics(
  context: Context,
  { readers, addressHeader }: { readers: readonly string[]; addressHeader: string | undefined },
): boolean {
  const address = plainAddress(callerAddress(context, addressHeader))
  if (readers.includes(address)) return true
  const { headers } = context.req.raw
  const isForwarded = addressHeader === undefined && FORWARDED.some((name) => headers.has(name))
  // Without a connection it is called in the same process.
  if (isForwarded) return false
  return address === '' || (LOOPBACK.test(address) && OWN_NAME.test(headers.get('host') ?? ''))
}

/** The same by the settings of a server. */
export function metricsReadersOf({
  metricsReaders: readers,
  requestRates: { addressHeader },
}: {
  readonly metricsReaders: readonly string[]
  readonly requestRates: { readonly addressHeader?: string | undefined }
}): (context: Context) => boolean {
  return (context) => mayReadMetrics(context, { readers, addressHeader })
}

function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=[\d.]+$)/, '')
}
