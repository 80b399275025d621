using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Probe.Dns;

/// <summary>The self-test of a trusted resolver: whether it validates DNSSEC, before its AD bit counts.</summary>
/// <remarks>A forwarder that sets AD without validating answers the bogus name; a resolver that does not validate sets no AD on
/// the secure one. Either way nothing it says is secure.</remarks>
internal sealed class ResolverSelfTest(DnsOptions options, DnsLookup lookup, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private volatile ResolverTest? test;

    // A timestamp, so that a clock that is set back does not make a test young again.
    private long testedAt;
    private long begun;

    /// <summary>The result of the last self-test; null before the first.</summary>
    public ResolverTest? Test => test;

    /// <summary>True where the resolver is trusted and a fresh self-test has passed; runs the test where it is due.</summary>
    public async Task<bool> IsTrustedAsync(CancellationToken cancellation)
    {
        if (!options.ResolverTrusted)
            return false;
        if (IsFresh)
            return test!.Passed;
        await gate.WaitAsync(cancellation);
        try
        {
            if (!IsFresh)
                await TestAsync(cancellation);
            return test!.Passed;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>True where the resolver is trusted and passes the test now. A test that began after the question answers it, too.</summary>
    /// <param name="occasion">Why it was tested, for people; said where it fails.</param>
    /// <param name="cancellation">Ends the test without a result.</param>
    public async Task<bool> RetestAsync(string occasion, CancellationToken cancellation)
    {
        if (!options.ResolverTrusted)
            return false;
        var before = Volatile.Read(ref begun);
        await gate.WaitAsync(cancellation);
        try
        {
            if (begun == before)
            {
                await TestAsync(cancellation);
                if (test is { Passed: false } failed)
                    test = failed with { Detail = $"{failed.Detail}; {occasion}" };
            }

            return test!.Passed;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    // A test that failed is repeated soon: it may have been our network.
    private bool IsFresh => test is { } last
        && time.GetElapsedTime(Volatile.Read(ref testedAt)) < (last.Passed ? options.SelfTestLife : TimeSpan.FromMinutes(1));

    private async Task TestAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref begun);
        var result = await RunAsync(cancellation);
        Volatile.Write(ref testedAt, time.GetTimestamp());
        test = result;
    }

    private async Task<ResolverTest> RunAsync(CancellationToken cancellation)
    {
        var secure = await lookup.AskAsync(new DnsQuestion(DnsNames.Plain(options.SecureTestName), DnsType.A), cancellation);
        if (secure is not { Kind: DnsAnswerKind.Records, AuthenticData: true })
        {
            return Result(false, $"{options.SecureTestName} must come back secure and did not: "
                + (secure.Detail ?? "the answer has no AD bit; the resolver does not validate"));
        }

        if (options.BogusTestName is null)
            return Result(true, "passed, without a name that must come back bogus: a forwarder that only sets AD would pass too");
        var bogus = await lookup.AskAsync(new DnsQuestion(DnsNames.Plain(options.BogusTestName), DnsType.A), cancellation);
        return bogus.Kind switch
        {
            DnsAnswerKind.Bogus => Result(true, null),
            DnsAnswerKind.Records or DnsAnswerKind.NoData or DnsAnswerKind.NoSuchName => Result(
                false, $"{options.BogusTestName} must come back bogus and was answered: the resolver does not validate"),
            _ => Result(false, $"{options.BogusTestName} must come back bogus; instead: {bogus.Detail}"),
        };
    }

    private ResolverTest Result(bool passed, string? detail) => new(passed, time.GetUtcNow(), detail);
}

/// <summary>The result of a resolver's self-test.</summary>
/// <param name="Passed">True where the resolver validates, so that its AD bit counts.</param>
/// <param name="At">When the test ended, UTC.</param>
/// <param name="Detail">What is wrong, or what the test could not tell.</param>
public sealed record ResolverTest(bool Passed, DateTimeOffset At, string? Detail);
