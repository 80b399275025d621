using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Daemon.Hosting;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class HostEndTests : IDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly Stalling part = new();

    [Fact]
    public async Task A_part_that_waits_for_a_server_is_not_waited_for()
    {
        var host = Build();
        var end = new HostEnd(host, HostEnd.WithServer);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var over = end.WaitAsync();

        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await part.Asked.Task;
        Assert.False(over.IsCompleted);
        time.Advance(HostEnd.WithServer);

        Assert.False(await over);
        Assert.True(end.IsAsked);
        // It keeps what it works with.
        await end.DisposeAsync();
        Assert.False(part.IsDisposed);
        part.Go.SetResult();
    }

    [Fact]
    public async Task Parts_that_end_are_waited_for_and_disposed_of()
    {
        var host = Build();
        var end = new HostEnd(host, HostEnd.WithServer);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var over = end.WaitAsync();
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await part.Asked.Task;

        part.Go.SetResult();

        Assert.True(await over);
        await end.DisposeAsync();
        Assert.True(part.IsDisposed);
    }

    public void Dispose() => part.Dispose();

    private IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IHostedService>(_ => part);
        return builder.Build();
    }

    private sealed class Stalling : IHostedService, IDisposable
    {
        internal TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal bool IsDisposed { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            return Go.Task;
        }

        public void Dispose() => IsDisposed = true;
    }
}
