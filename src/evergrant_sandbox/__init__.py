"""The platform: TikTok Shop's side, wire-compatible, on this machine, with a clock that can be turned."""
