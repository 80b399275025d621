using PolicyDaemon.Lookup.Listening;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

public sealed class DescriptorLimitTests
{
    [Theory]
    [InlineData(16_384, 524_288L, 16_384)]
    [InlineData(16_384, 1024L, 768)]
    [InlineData(16_384, 100L, 50)]
    [InlineData(16_384, 64L, 32)]
    [InlineData(16_384, 48L, 16)]
    [InlineData(16_384, 40L, 8)]
    [InlineData(16_384, 33L, 1)]
    [InlineData(16_384, 32L, 0)]
    [InlineData(16_384, 20L, 0)]
    [InlineData(10, 1024L, 10)]
    [InlineData(16_384, null, 16_384)]
    public void Connections_leave_descriptors_for_the_rest(int configured, long? descriptors, int expected) =>
        Assert.Equal(expected, DescriptorLimit.Connections(configured, descriptors));

    [Fact]
    public void Too_few_for_the_process_itself_are_refused_with_what_to_do()
    {
        Assert.Null(DescriptorLimit.Refusal(33));
        Assert.Null(DescriptorLimit.Refusal(null));
        Assert.Contains("may open 20 files, and 32 are needed", DescriptorLimit.Refusal(20), StringComparison.Ordinal);
        Assert.Contains("raise LimitNOFILE", DescriptorLimit.Refusal(20), StringComparison.Ordinal);
    }

    [Fact]
    public void The_kernels_own_account_is_read() => Assert.InRange(DescriptorLimit.ReadSoftLimit("/proc/self/limits") ?? 0, 1, long.MaxValue);

    [Fact]
    public void An_unlimited_or_missing_account_is_no_limit()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "Limit Soft Hard\nMax open files            unlimited            unlimited            files\n");
        Assert.Null(DescriptorLimit.ReadSoftLimit(file));
        File.Delete(file);
        Assert.Null(DescriptorLimit.ReadSoftLimit(file));
    }
}
