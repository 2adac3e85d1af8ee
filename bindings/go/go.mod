module recore

go 1.24
