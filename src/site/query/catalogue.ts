export type CallId = string
