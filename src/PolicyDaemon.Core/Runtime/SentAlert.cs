using System.Text.Json.Serialization;

namespace PolicyDaemon.Core.Runtime;

/// <summary>What became of a test alert that one channel was given, as <c>policyd --test-alert</c> writes it and <c>policyctl doctor</c> reads it.</summary>
/// <param name="Channel">The configuration key of the channel, <c>alert_command</c> or <c>alert_webhook</c>.</param>
/// <param name="Problem">Why it was not delivered; null where it was.</param>
public sealed record SentAlert(string Channel, string? Problem);

/// <summary>Reads and writes <see cref="SentAlert"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IReadOnlyList<SentAlert>))]
public sealed partial class SentAlertJson : JsonSerializerContext;
