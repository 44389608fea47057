import { siteIdSchema } from '../protocol/wire.ts'
import { networkLine } from '../site/line/network-line.ts'
import type { NetworkLine } from '../site/line/network-line.ts'
import type { SiteContext } from '../site/site-context.ts'
import type { TestTrade } from './test-trade.ts'

/** The line of a site whose inside a test holds, to the network of its trade. */
export function testLine(
  { network, clock }: Pick<TestTrade, 'network' | 'clock'>,
  parts: Pick<SiteContext, 'site' | 'keys'>,
): NetworkLine {
  return networkLine({
    url: network.url,
    networkName: network.name,
    site: siteIdSchema.parse(parts.site),
    key: parts.keys.signing,
    clock,
    ids: network.ids,
  })
}
