module recore-load

go 1.24
