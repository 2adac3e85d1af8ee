//go:build !race

package recore_test

const raceEnabled = false
