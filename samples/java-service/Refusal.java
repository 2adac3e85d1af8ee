/** An answer other than 200. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1;
  final int status;

  Refusal(int status, String text) {
    super(text, null, false, false); // without a stack trace, which would cost more than the answer
    this.status = status;
  }
}
