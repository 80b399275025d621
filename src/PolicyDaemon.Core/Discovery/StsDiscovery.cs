namespace PolicyDaemon.Core.Discovery;

/// <summary>What was found of a domain's MTA-STS policy.</summary>
/// <param name="Status">How the search ended.</param>
/// <param name="Record">The TXT record, where there is one that can be read.</param>
/// <param name="Policy">The policy; only with <see cref="StsStatus.Valid"/>.</param>
/// <param name="Detail">What went wrong, for people.</param>
public sealed record StsDiscovery(StsStatus Status, StsRecord? Record = null, StsPolicy? Policy = null, string? Detail = null);
