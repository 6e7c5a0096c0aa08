module slipway.example/tools/referrers-registry

go 1.26

tool slipway.example/tools/referrers-registry

require github.com/google/go-containerregistry v0.22.1
