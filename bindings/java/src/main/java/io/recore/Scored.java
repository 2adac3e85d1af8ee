package io.recore;

/**
 * An item and its score, which is comparable within one answer only.
 *
 * @param <T> String, Long or byte[].
 */
public record Scored<T>(T item, float score) {}
