package io.recore;

/**
 * A model that was found.
 *
 * @param error why its file is refused, or "".
 */
public record Plugin(String name, String version, String path, String doc, String error) {}
