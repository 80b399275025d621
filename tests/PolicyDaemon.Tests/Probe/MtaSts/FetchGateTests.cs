using System.Net;
using PolicyDaemon.Probe.MtaSts;
using Xunit;

namespace PolicyDaemon.Tests.Probe.MtaSts;

public sealed class FetchGateTests
{
    private static readonly IPAddress One = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Other = IPAddress.Parse("192.0.2.2");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_address_has_so_many_places_and_another_its_own()
    {
        using var gate = new FetchGate(all: 4, perAddress: 2);
        var first = await gate.EnterAsync(One, Cancellation);
        await gate.EnterAsync(One, Cancellation);
        var third = gate.EnterAsync(One, Cancellation);
        Assert.False(third.IsCompleted);
        await gate.EnterAsync(Other, Cancellation); // who waits for an address holds no place among all

        first.Dispose();
        first.Dispose(); // once is once
        await third;
        Assert.False(gate.EnterAsync(One, Cancellation).IsCompleted);
    }

    [Fact]
    public async Task All_together_have_so_many_places()
    {
        using var gate = new FetchGate(all: 2, perAddress: 2);
        var first = await gate.EnterAsync(One, Cancellation);
        await gate.EnterAsync(Other, Cancellation);
        var third = gate.EnterAsync(Other, Cancellation);
        Assert.False(third.IsCompleted);

        first.Dispose();
        await third;
    }

    [Fact]
    public async Task Who_gives_up_leaves_no_trace()
    {
        using var gate = new FetchGate(all: 1, perAddress: 1);
        var first = await gate.EnterAsync(One, Cancellation);
        using var patience = new CancellationTokenSource();
        var sameAddress = gate.EnterAsync(One, patience.Token);
        var otherAddress = gate.EnterAsync(Other, patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sameAddress);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => otherAddress);

        first.Dispose();
        (await gate.EnterAsync(Other, Cancellation)).Dispose();
        (await gate.EnterAsync(One, Cancellation)).Dispose();
    }
}
