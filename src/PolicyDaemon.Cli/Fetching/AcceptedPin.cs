using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>A pin that is to be served from now on.</summary>
/// <param name="Fingerprint">In the digest that Postfix compares.</param>
/// <param name="Subject">What it is of.</param>
/// <param name="Strength">On what it was trusted.</param>
/// <param name="Replaces">A pin of the same key or certificate in another digest, which it carries over; null: none.</param>
internal sealed record AcceptedPin(Fingerprint Fingerprint, PinSubject Subject, PinStrength Strength, Fingerprint? Replaces = null);
