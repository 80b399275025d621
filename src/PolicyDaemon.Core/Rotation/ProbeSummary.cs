namespace PolicyDaemon.Core.Rotation;

/// <summary>What the prober knows of a destination, in short.</summary>
/// <param name="Verdict">What would happen to mail.</param>
/// <param name="VerdictSince">Since when it is so.</param>
/// <param name="LastProbe">The last look, whatever came of it.</param>
/// <param name="NextDue">The next.</param>
/// <param name="Expires">When the first of the certificates in use ends; null where none is known.</param>
public sealed record ProbeSummary(
    DestinationVerdict Verdict, DateTimeOffset VerdictSince, DateTimeOffset LastProbe, DateTimeOffset NextDue, DateTimeOffset? Expires);
