module calls

go 1.24

require recore v0.0.0

replace recore => ../../../../bindings/go
