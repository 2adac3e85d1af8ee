package io.recore;

/** A small Arrow C stream, see arrow_fixture.c. */
final class ArrowFixture {
  static {
    System.load(System.getProperty("recore.test.arrow"));
  }

  private ArrowFixture() {}

  /** @return the address of the one stream, with columns user and item of at most 64 rows. */
  static native long open(long[] users, long[] items);

  /** How often a stream was released. */
  static native int released();
}
