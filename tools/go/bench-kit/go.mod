module slipway.example/tools/bench-kit

go 1.26
