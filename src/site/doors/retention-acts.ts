import { sweepRetention } from '../retention/sweep-retention.ts'
import { viewRetention } from '../retention/view-retention.ts'
import type { SiteContext } from '../site-context.ts'
import type { SiteActs } from './site-acts.ts'

/** How long data is kept, in the forms of the door. */
export function retentionActs(site: SiteContext): Pick<SiteActs, 'retention' | 'sweepRetention'> {
  return {
    retention: ({ issuer }) => viewRetention(site, issuer),
    async sweepRetention() {
      const swept = await sweepRetention(site)
      if (swept.rows > 0 || swept.people > 0) site.events.retentionSwept(swept)
      return swept
    },
  }
}
