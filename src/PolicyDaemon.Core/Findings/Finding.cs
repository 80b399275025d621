namespace PolicyDaemon.Core.Findings;

/// <summary>Something a person should read: what, about whom, since when, and the command that settles it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Subject">The key or thing it is about; one finding per kind and subject is open at a time.</param>
/// <param name="Detail">What was seen, in a sentence.</param>
/// <param name="Remedy">The command that settles it.</param>
/// <param name="Since">When it was first seen, UTC.</param>
public sealed record Finding(FindingKind Kind, string Subject, string Detail, string Remedy, DateTimeOffset Since);
