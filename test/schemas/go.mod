// The modules whose published schemas the tests check against. Nothing is built from them; go.sum names every byte.
module slipway.example/schemas

go 1.24

require (
	github.com/kyverno/kyverno v1.19.0
	github.com/sigstore/policy-controller v0.15.1
)
