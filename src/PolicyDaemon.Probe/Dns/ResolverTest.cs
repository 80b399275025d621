namespace PolicyDaemon.Probe.Dns;

/// <summary>The result of a resolver's self-test.</summary>
/// <param name="Passed">Its AD bit counts.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Detail">What is wrong, or what the test could not tell.</param>
public sealed record ResolverTest(bool Passed, DateTimeOffset At, string? Detail);
