import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.recore.Ids;
import io.recore.RecException;
import io.recore.Recommendations;
import io.recore.Request;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** Handles every request. */
final class Handler implements HttpHandler {
  final Metrics metrics = new Metrics();
  private final Models models;
  private final Workers workers;
  private volatile boolean draining;

  Handler(Models models, Workers workers) {
    this.models = models;
    this.workers = workers;
  }

  void drain() {
    draining = true;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    long start = System.nanoTime();
    metrics.begin();
    int status = 500;
    String path = exchange.getRequestURI().getPath();
    try (exchange) { // which waits for the rest of a body
      try {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json");
        String text;
        try {
          text = route(exchange, path);
          status = 200;
        } catch (RuntimeException e) {
          status = statusOf(e);
          text = Answer.failure(e.getMessage());
        }
        if (status == 405) {
          headers.set("Allow", "GET, HEAD");
        } else if (status == 503) {
          headers.set("Retry-After", "1");
        }
        if (draining) {
          headers.set("Connection", "close");
        }
        send(exchange, status, text.getBytes(UTF_8));
      } finally {
        metrics.end(path, status, System.nanoTime() - start);
      }
    }
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    boolean bare = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, bare ? -1 : body.length);
    if (!bare) {
      OutputStream out = exchange.getResponseBody();
      out.write(body);
      out.flush(); // before the exchange waits for a body
    }
  }

  private String route(HttpExchange exchange, String path) {
    if (!exchange.getRequestMethod().equals("GET") && !exchange.getRequestMethod().equals("HEAD")) {
      throw new Refusal(405, "only GET and HEAD are understood");
    }
    switch (path) {
      case "/recommend", "/similar":
        return rank(new Query(exchange.getRequestURI().getRawQuery()), path);
      case "/healthz":
        return health();
      case "/metrics":
        exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        StringBuilder text = new StringBuilder();
        metrics.write(text, models);
        return text.toString();
      default:
        throw new Refusal(404, "there is /recommend, /similar, /healthz and /metrics");
    }
  }

  private String health() {
    if (draining || models.generation() == 0) {
      throw new Refusal(503, draining ? "draining" : "no model is loaded yet");
    }
    return "{\"status\":\"ok\",\"generation\":" + models.generation() + "}";
  }

  private String rank(Query query, String path) {
    int k = query.k(10, Models.MAX_K);
    Answer answer = workers.take();
    try (Generation generation = models.lease()) {
      if (generation == null) {
        throw new Refusal(503, "no model is loaded yet");
      }
      if (path.equals("/recommend")) {
        recommend(generation, query, k, answer);
      } else {
        similar(generation, query, k, answer);
      }
      return answer.text.toString();
    } finally {
      workers.giveBack(answer);
    }
  }

  private static void recommend(Generation generation, Query query, int k, Answer answer) {
    Ids user = query.has("user") ? query.ids("user", generation.numericUsers) : null;
    Request request;
    if (query.has("history")) {
      List<Ids> history = List.of(query.list("history", generation.items.isNumeric()));
      request = user == null ? Request.anonymous(history) : Request.of(user).histories(history);
    } else if (user != null) {
      request = Request.of(user);
    } else {
      throw new Refusal(400, "user: must be given, or a history");
    }
    generation.recommender.recommendInto(request, k, answer.rows, answer.scores, answer.status);
    if (answer.status.get(0) != 0) {
      throw new Refusal(404, user == null ? "history: the model knows none of it"
          : "user: the model does not know '" + query.text("user") + "'; give what they had as history=ITEM,ITEM");
    }
    answer.items(generation, "user", user, k);
  }

  private static void similar(Generation generation, Query query, int k, Answer answer) {
    if (!query.has("item")) {
      throw new Refusal(400, "item: must be given");
    }
    Ids item = query.ids("item", generation.items.isNumeric());
    Recommendations similar = generation.recommender.similar(item, k);
    if (generation.model.itemRows(item)[0] < 0) {
      throw new Refusal(404, "item: the model does not know '" + query.text("item") + "'");
    }
    answer.take(similar);
    answer.items(generation, "similar_to", item, similar.count(0));
  }

  private static int statusOf(RuntimeException e) {
    if (e instanceof Refusal refusal) {
      return refusal.status;
    }
    if (e instanceof RecException.InvalidArgument) {
      return 400;
    }
    if (e instanceof RecException.NotFound) {
      return 404;
    }
    if (e instanceof RecException.Unsupported) {
      return 501;
    }
    Log.line("request.failed", "error", e);
    return 500;
  }
}
