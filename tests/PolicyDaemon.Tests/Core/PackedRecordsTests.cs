using PolicyDaemon.Core;
using Xunit;

namespace PolicyDaemon.Tests.Core;

public class PackedRecordsTests
{
    [Fact]
    public void Values_come_back_in_their_order()
    {
        var records = new PackedRecords();
        long[] numbers = [0, 1, 127, 128, 16_383, 16_384, int.MaxValue, long.MaxValue, -1, long.MinValue];
        string?[] texts = ["", null, "a", "größer", new string('x', 127), new string('y', 300), "\0"];
        foreach (var number in numbers)
            records.Write(number);
        foreach (var text in texts)
            records.Write(text);

        var packed = records.Read(records.End());

        foreach (var number in numbers)
            Assert.Equal(number, packed.Number());
        foreach (var text in texts)
            Assert.Equal(text, packed.Text());
    }

    [Fact]
    public void Every_record_is_found_by_its_address_and_in_its_turn_however_large_it_is()
    {
        var records = new PackedRecords();
        var sizes = Enumerable.Range(0, 400).Select(i => i % 50 == 7 ? 3_000_000 : i * 97 % 30_000).ToList();
        var addresses = sizes.ConvertAll(size =>
        {
            records.Write(new string('z', size));
            return records.End();
        });

        Assert.Equal(sizes.Count, records.Count);
        Assert.Equal(addresses, records.Addresses());
        Assert.Equal(sizes, addresses.Select(address => records.Read(address).Octets().Length));
    }

    [Fact]
    public void Without_records_there_is_no_address() => Assert.Empty(new PackedRecords().Addresses());
}
