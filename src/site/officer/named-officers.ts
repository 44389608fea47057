import { namedCallers } from '../named-callers.ts'

/** Data-protection officers with keys of their own, each a controller's or the custodian's. */
export const NAMED_OFFICERS = namedCallers('officer', 'an officer')
