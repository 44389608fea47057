import type { Clock } from '../kernel/clock.ts'
import { openNoticeBox } from '../sdk/notice-box.ts'
import type { NoticeBox } from '../sdk/notice-box.ts'
import { pinsInMemory } from './pins-in-memory.ts'
import type { TestAcquirer } from './test-trade.ts'

/** The box of notices of an acquirer that has pinned nobody's keys yet. */
export function testNoticeBox(
  { clock }: { readonly clock: Clock },
  { party, client }: Pick<TestAcquirer, 'party' | 'client'>,
): NoticeBox {
  const { name: member, signing, sealing } = party
  return openNoticeBox({ client, member, signing, sealing, clock, pins: pinsInMemory() })
}
