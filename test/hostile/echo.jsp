<%@ page import="java.io.*,java.nio.charset.*,java.util.*,java.util.concurrent.*,jakarta.servlet.*,jakarta.servlet.http.*" %><%!
  /**
   * What was seen, a line each: method, target, path, body, trailers, then names and
   * values of headers, all in hex.
   */
  static final Queue<String> SEEN = new ConcurrentLinkedQueue<>();

  static String hex(String text, Charset charset) {
    return HexFormat.of().formatHex(text.getBytes(charset));
  }

  static String describe(HttpServletRequest request) throws IOException {
    Charset latin1 = StandardCharsets.ISO_8859_1;
    String query = request.getQueryString() == null ? "" : "?" + request.getQueryString();
    String info = request.getPathInfo() == null ? "" : request.getPathInfo();
    List<String> fields = new ArrayList<>();
    fields.add(hex(request.getMethod(), latin1));
    fields.add(hex(request.getRequestURI() + query, latin1));
    fields.add(hex(request.getServletPath() + info, StandardCharsets.UTF_8));
    fields.add(HexFormat.of().formatHex(request.getInputStream().readAllBytes()));
    StringBuilder trailers = new StringBuilder();
    if (request.isTrailerFieldsReady()) {
      request.getTrailerFields().forEach((name, value) ->
        trailers.append(name).append('\n').append(value).append('\n'));
    }
    fields.add(hex(trailers.toString(), latin1));
    for (String name : Collections.list(request.getHeaderNames())) {
      for (String value : Collections.list(request.getHeaders(name))) {
        fields.add(hex(name, latin1));
        fields.add(hex(value, latin1));
      }
    }
    return String.join(",", fields);
  }

  /** Comes before what Jasper generates, which takes GET, HEAD and POST only. */
  @Override
  public void service(ServletRequest any, ServletResponse to) throws IOException {
    HttpServletRequest request = (HttpServletRequest) any;
    String answer = request.getHeader("x-case") + ";";
    if ("/_seen".equals(request.getRequestURI())) {
      StringBuilder lines = new StringBuilder();
      for (String line = SEEN.poll(); line != null; line = SEEN.poll()) lines.append(line).append('\n');
      answer = lines.toString();
    } else {
      SEEN.add(describe(request));
    }
    byte[] bytes = answer.getBytes(StandardCharsets.ISO_8859_1);
    to.setContentLength(bytes.length);
    to.getOutputStream().write(bytes);
  }
%>
